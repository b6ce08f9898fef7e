import type { CheckReport } from '../bindings/CheckReport';
import type { EndedCheck } from '../bindings/EndedCheck';
import type { EndedCollection } from '../bindings/EndedCollection';
import type { GarbageReport } from '../bindings/GarbageReport';
import type { HealthFinding } from '../bindings/HealthFinding';
import type { JobProgress } from '../bindings/JobProgress';
import type { HealthWork } from '../bindings/HealthWork';
import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { VolumeHealth } from '../bindings/VolumeHealth';
import { refused } from './refused';

type HealthRequest = Extract<
  Request,
  { request: 'volume_health' | 'volume_health_start' | 'volume_health_cancel' }
>;

const KINDS: ReadonlySet<Request['request']> = new Set([
  'volume_health',
  'volume_health_start',
  'volume_health_cancel',
]);

export function isAboutHealth(request: Request): request is HealthRequest {
  return KINDS.has(request.request);
}

const MB = 1_000_000;
const SINCE = Date.UTC(2026, 0, 5, 9, 30);
const MINUTE = 60_000;
const NODES = 48_112;
const OBJECTS = 96_000;

function finding(
  defect: string,
  severity: HealthFinding['severity'],
  message: string,
  advice: string,
  repair: HealthFinding['repair'] = 'possible',
): HealthFinding {
  return { defect, severity, message, advice, repair };
}

/** A finding of each severity, of each remedy, and one that this window does not know. */
export function findings(): HealthFinding[] {
  return [
    finding(
      'missing-object',
      'error',
      'slice 5120 of /Iceland/day-4/IMG_2302.raw: objects are missing: chunks/0/5/5120_3_4194304',
      'A mount with write-back may still have them: let it finish its uploads. Otherwise restore the objects from a copy of the bucket, or the file from a backup.',
      'impossible',
    ),
    finding(
      'link-count',
      'warning',
      'directory 1 has 9 links, and 4 by its entries',
      '`fsck --repair` sets it.',
    ),
    finding(
      'tilted-shelf',
      'warning',
      'a defect that a later version finds',
      '`fsck --repair` sets it upright.',
    ),
    finding(
      'usage-counter',
      'note',
      'the used space is 412 GB by its counter and 411 GB by a scan',
      '`fsck --repair` counts again while nobody uses the volume.',
    ),
  ];
}

export function report(found: HealthFinding[], contents: boolean): CheckReport {
  const of = (severity: HealthFinding['severity']) =>
    found.filter((one) => one.severity === severity && one.repair !== 'done').length;
  return {
    nodes: NODES,
    entries: NODES + 30,
    slices: 51_000,
    objects: OBJECTS,
    damaged_records: 0,
    contents: contents ? 'authenticated' : 'not-read',
    verified_objects: contents ? OBJECTS : 0,
    verified_bytes: contents ? OBJECTS * 4 * MB : 0,
    open: { error: of('error'), warning: of('warning'), note: of('note') },
    repaired: found.filter(({ repair }) => repair === 'done').length,
    repairable: found.filter(({ repair }) => repair === 'possible').length,
    findings: found,
  };
}

export function garbage(deleted: boolean): GarbageReport {
  const none = { count: 0, bytes: 0 };
  return {
    deleted,
    valid: { objects: OBJECTS, bytes: 380_000 * MB },
    delayed: { objects: 120, bytes: 310 * MB },
    pending: { objects: 300, bytes: 1_200 * MB },
    leaked: { objects: 14, bytes: 52 * MB },
    young: { objects: 6, bytes: 21 * MB },
    ahead: { objects: 0, bytes: 0 },
    foreign: { objects: 1, bytes: 4_096 },
    expired_trash: { hours: 3, entries: 81 },
    abandoned_clones: none,
    deleted_files: { count: 12, bytes: 1_150 * MB },
    expired_slices: { count: 7, bytes: 50 * MB },
    dead_slices: none,
    orphaned_chunks: none,
    damaged_slice_records: 0,
    other_damaged_records: 0,
  };
}

function nothing(): VolumeHealth {
  return { job: null, check: null, garbage: null, can_repair: false, can_free: false };
}

function checked(found: HealthFinding[], contents: boolean, repair: boolean): EndedCheck {
  return { begun: SINCE, ended: SINCE + 4 * MINUTE, repair, report: report(found, contents) };
}

function collected(deleted: boolean): EndedCollection {
  return { begun: SINCE, ended: SINCE + MINUTE, report: garbage(deleted) };
}

/** How a work goes on, step by step. */
function steps(work: HealthWork): JobProgress[] {
  if (work.work !== 'check' && work.work !== 'repair') {
    return [{ phase: null, done: 51_200, total: null, bytes: 200_000 * MB }];
  }
  const records: JobProgress = { phase: 'records', done: NODES, total: null, bytes: 0 };
  const objects: JobProgress = {
    phase: 'objects',
    done: 64_000,
    total: OBJECTS,
    bytes: 250_000 * MB,
  };
  const contents: JobProgress = {
    phase: 'contents',
    done: 31_000,
    total: OBJECTS,
    bytes: 124_000 * MB,
  };
  const isDeep = work.work === 'check' && work.contents;
  return isDeep ? [records, objects, contents] : [records, objects];
}

/** The health of the volumes of an agent within the page. */
export class MockHealth {
  #volumes = new Map<string, VolumeHealth>([
    [
      'studio',
      {
        ...nothing(),
        check: checked(findings(), false, false),
        garbage: collected(false),
        can_repair: true,
        can_free: true,
      },
    ],
  ]);
  /** What is still to be told of the job of a volume. */
  #ahead = new Map<string, JobProgress[]>();

  answer(request: HealthRequest): Response {
    const { id } = request;
    if (request.request === 'volume_health_start') this.#start(id, request.work);
    if (request.request === 'volume_health_cancel') this.#cancel(id);
    return { response: 'volume_health', health: structuredClone(this.#of(id)) };
  }

  /** One step of time for what is at work. */
  tick(): void {
    for (const [id, ahead] of this.#ahead) {
      const { job } = this.#of(id);
      if (job?.state.state !== 'running') continue;
      const progress = ahead.shift();
      if (job.state.ending) job.state = { state: 'cancelled', ended: SINCE + 4 * MINUTE };
      else if (progress === undefined) this.#end(id);
      else job.state.progress = progress;
    }
  }

  #of(id: string): VolumeHealth {
    const known = this.#volumes.get(id) ?? nothing();
    this.#volumes.set(id, known);
    return known;
  }

  #start(id: string, work: HealthWork): void {
    const health = this.#of(id);
    if (health.job?.state.state === 'running')
      throw refused('This volume is being checked or freed already.');
    if (work.work === 'repair' && !health.can_repair)
      throw refused('Nothing is known that can be repaired.');
    if (work.work === 'free_garbage') {
      if (!health.can_free) throw refused('It is not known what can be freed.');
      health.garbage = null;
      health.can_free = false;
    }
    const progress: JobProgress = { phase: null, done: 0, total: null, bytes: 0 };
    health.job = { work, begun: SINCE, state: { state: 'running', progress, ending: false } };
    this.#ahead.set(id, steps(work));
  }

  #cancel(id: string): void {
    const state = this.#of(id).job?.state;
    if (state?.state !== 'running') throw refused('This volume is not being checked or freed.');
    state.ending = true;
  }

  #end(id: string): void {
    const health = this.#of(id);
    const { job } = health;
    if (job === null) return;
    job.state = { state: 'done', ended: SINCE + 4 * MINUTE };
    switch (job.work.work) {
      case 'check':
        health.check = checked(findings(), job.work.contents, false);
        health.can_repair = true;
        break;
      case 'repair':
        health.check = checked(
          findings().map((one) => (one.repair === 'possible' ? { ...one, repair: 'done' } : one)),
          health.check?.report.contents !== 'not-read',
          true,
        );
        health.can_repair = false;
        break;
      case 'find_garbage':
        health.garbage = collected(false);
        health.can_free = true;
        break;
      case 'free_garbage':
        health.garbage = collected(true);
        break;
    }
  }
}
