import type { VolumeSession } from '../../bindings/VolumeSession';
import type { Catalogue } from '../../locales/en';

/** What is known of a session, in the order of its weight. */
export function facts(
  session: VolumeSession,
  words: Catalogue['sessions'],
): { name: string; value: string }[] {
  const began = Date.parse(session.since);
  const facts = [
    { name: words.mountPoint, value: session.mount_point },
    { name: words.since, value: Number.isNaN(began) ? session.since : words.when(began) },
    { name: words.expires, value: words.when(session.expires) },
    { name: words.version, value: session.version },
    { name: words.process, value: String(session.process) },
  ];
  if (session.staged_bytes !== null && session.staged_bytes > 0) {
    facts.push({ name: words.staged, value: words.bytes(session.staged_bytes) });
  }
  return facts.filter(({ value }) => value !== '');
}

/** This computer first, then the others by name; what needs a look before the rest of its computer. */
export function ordered(sessions: readonly VolumeSession[]): VolumeSession[] {
  const rank = ({ here, state }: VolumeSession) => (here ? 0 : 2) + (state === 'alive' ? 1 : 0);
  return [...sessions].sort(
    (one, other) =>
      rank(one) - rank(other) || one.host.localeCompare(other.host) || one.id - other.id,
  );
}
