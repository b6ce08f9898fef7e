import type { CheckReport } from '../../bindings/CheckReport';
import type { EndedCheck } from '../../bindings/EndedCheck';
import type { EndedCollection } from '../../bindings/EndedCollection';
import type { GarbageReport } from '../../bindings/GarbageReport';
import type { HealthFinding } from '../../bindings/HealthFinding';
import type { JobProgress } from '../../bindings/JobProgress';
import type { HealthWork } from '../../bindings/HealthWork';
import type { Catalogue } from '../../locales/en';

type Words = Catalogue['health'];

/** The two parts of the page, each with work of its own. */
export type Part = 'check' | 'space';

/** Which part a work belongs to. */
export function partOf({ work }: HealthWork): Part {
  return work === 'check' || work === 'repair' ? 'check' : 'space';
}

/** How far a job is, in words. */
export function done({ phase, done, total, bytes }: JobProgress, words: Words['done']): string {
  switch (phase) {
    case 'records':
      return words.records(done);
    case 'objects':
      return words.objects(done, total);
    case 'contents':
      return words.contents(done, total, bytes);
    default:
      return words.other(done, bytes);
  }
}

/** Findings that are not repaired. */
function open({ open }: CheckReport): number {
  return open.error + open.warning + open.note;
}

/** What came of a check, in one sentence. */
export function verdict({ ended, repair, report }: EndedCheck, words: Words['check']): string {
  const left = open(report);
  if (repair) {
    return left === 0
      ? words.mended(ended, report.repaired)
      : words.left(ended, report.repaired, left);
  }
  if (left === 0) return words.sound(ended);
  const notes = left === report.open.note;
  return notes ? words.drifted(ended, left) : words.open(ended, left);
}

/** What a check looked at, in sentences. */
export function extent(report: CheckReport, words: Words['check']): string[] {
  const sentences = [words.looked(report.nodes, report.objects), words.contents[report.contents]];
  if (report.damaged_records > 0) sentences.push(words.damaged(report.damaged_records));
  return sentences;
}

/** Findings that the agent did not tell of one by one. */
export function untold(report: CheckReport): number {
  return Math.max(0, open(report) + report.repaired - report.findings.length);
}

/** A short name of what was found. */
export function title({ defect }: HealthFinding, words: Words['finding']): string {
  return Object.hasOwn(words.defect, defect)
    ? (words.defect[defect] ?? words.unknown)
    : words.unknown;
}

/** What there is to do about a finding, in the person's language as far as that is known. */
export function remedy({ repair }: HealthFinding, words: Words['finding']): string | undefined {
  return repair === 'impossible' ? undefined : words[repair];
}

/** Objects that are deleted by freeing; those that nothing names only while no damaged record may name them. */
export function freed(report: GarbageReport): { objects: number; bytes: number } {
  const kept = report.damaged_slice_records > 0;
  return {
    objects: report.pending.objects + (kept ? 0 : report.leaked.objects),
    bytes: report.pending.bytes + (kept ? 0 : report.leaked.bytes),
  };
}

/** Whether freeing deletes anything, be it records alone. */
export function isWorthFreeing(report: GarbageReport): boolean {
  return (
    freed(report).objects > 0 ||
    report.expired_trash.entries > 0 ||
    RECORDS.some((kind) => report[kind].count > 0)
  );
}

/** What came of a search or of freeing, in one sentence. */
export function sum({ ended, report }: EndedCollection, words: Words['space']): string {
  const { objects, bytes } = freed(report);
  if (report.deleted) return words.freed(ended, objects, bytes);
  if (!isWorthFreeing(report)) return words.nothing(ended);
  return objects === 0 ? words.records(ended) : words.some(ended, objects, bytes);
}

type Fact = { name: string; value: string };

/** What is deleted, and what is kept; nothing of which there is none. */
export function parts(
  report: GarbageReport,
  words: Words['space'],
): { deleted: Fact[]; kept: Fact[] } {
  const objects = (kinds: readonly ('pending' | 'leaked' | Kept)[]) =>
    kinds
      .filter((kind) => report[kind].objects > 0)
      .map((kind) => ({
        name: words[kind],
        value: words.objects(report[kind].objects, report[kind].bytes),
      }));
  const records = RECORDS.filter((kind) => report[kind].count > 0).map((kind) => ({
    name: words[kind],
    value: words.counted(report[kind].count, report[kind].bytes),
  }));
  const { entries } = report.expired_trash;
  const trash = entries > 0 ? [{ name: words.expired_trash, value: words.count(entries) }] : [];
  const keepsLeaked = report.damaged_slice_records > 0;
  return {
    deleted: [...objects(keepsLeaked ? ['pending'] : ['pending', 'leaked']), ...trash, ...records],
    kept: objects(keepsLeaked ? ['leaked', ...KEPT] : KEPT),
  };
}

type Kept = (typeof KEPT)[number];
const KEPT = ['valid', 'delayed', 'young', 'ahead', 'foreign'] as const;
const RECORDS = [
  'deleted_files',
  'orphaned_chunks',
  'expired_slices',
  'dead_slices',
  'abandoned_clones',
] as const;
