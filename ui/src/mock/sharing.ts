import { Refused } from '../agent/transport';
import type { VolumeFile } from '../bindings/VolumeFile';

/** What the text of a volume file says; here the agent believes more than a real one does. */
export function volumeFile(text: string): VolumeFile {
  try {
    return JSON.parse(text) as VolumeFile;
  } catch {
    throw new Refused({
      code: 'invalid_request',
      message: 'This is no volume file, or a damaged one.',
      cause: 'it is no JSON (line 1, column 1)',
      advice: 'Take one that Moorage wrote.',
      retryable: false,
    });
  }
}
