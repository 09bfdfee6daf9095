/**
 * A record: one fact, written once as canonical bytes, hashed and verified verbatim (docs/evidence-format.md).
 *
 *     {"at":1700000000,"body":{…},"case":"c-…","id":"…","ring":"customer-api","type":"key.activated","v":1}
 *
 * `id` derives from what happened (the ring and its fence, the case and its item), never from when it was written:
 * a replay names the same record and adds nothing. Personal data stands only in sealed fields, ARNs and names too.
 */
import { canonicalJson, isMembers, type Json, type JsonObject } from '../base/encoding';
import { CurfewError } from '../base/errors';

/** Every kind of record; what each says stands beside it. */
export const RECORD_TYPES = {
  'ring.created': 'a ring was born with this configuration',
  'ring.updated': 'what may change of a ring was changed, or a deployment was taken back and its legacy keys stay',
  'ring.halted': 'no token of the ring is issued until people resume it',
  'ring.resumed': 'people let the ring issue again',
  'ring.closing': 'the ring issues no more; its keys verify until the last token is over, then it may be removed',
  'key.adopted': 'a KMS key was born into a slot and read back disabled; or a legacy public key was adopted',
  'key.confirmed': 'the key was seen in the JWKS as served',
  'key.activated': 'this key signs from now on; its predecessor stopped',
  'key.tainted': 'the key is SUSPECT: only tokens that the ledger issued are good',
  'key.window': 'a re-sign wave may put tokens of this issue span under the key',
  'key.denied': 'no token of this key is good any more',
  'key.retired': 'the key is past its last verification',
  'key.disabled': 'the key cannot sign: KMS said Disabled when it was read back, or what `found` says',
  'key.enabled': 'KMS said Enabled of a key that must not sign; it is disabled again',
  'key.policy': 'the key policy as read back is not the one written at birth any more, or is again',
  'wave.completed': 'the last pass found nothing left to re-sign',
  'tokens.issued': 'digests of issued tokens, as a list with its Merkle root',
  'subject.cut-off': 'tokens of this subject issued before an instant are refused, new ones are not issued',
  'case.opened': 'HR said that a worker leaves, and how we know; or a responder asked to end a key',
  'case.listed': 'what containment will do, frozen before it is done; a later one has what was found since',
  'item.contained': 'one containment item was done and read back',
  'item.found-open': 'a thing that had been shut was open when it was looked at again',
  'item.shut-again': 'what was found open was shut once more and read back',
  'case.rechecked': 'every session of the leaver is over, and what was shut was looked at again until then',
  'case.contained': 'which containment items are done, and which are still open',
  'case.asked': 'something speaks against the case: people are asked, or the sources have to agree again',
  'case.held': 'contained, and what cannot be undone waits for the answer to a question',
  'case.approved': 'one approver decided about a question',
  'approvers.set': 'who may decide about cases, by pseudonym',
  'case.went-on': 'a question is over, and by what',
  'case.accepted': 'two approvers accepted items that nobody can act on, until a linked case proves them again',
  'case.inventory': 'what the worker could use, read or administer, and how we know',
  'case.planned': 'what will be done, frozen before it is done',
  'item.done': 'one item of the plan was done and read back',
  'item.proved': 'one item was observed afterwards, from outside the step that did it',
  'case.followed-up': 'a linked case is due when every session alive at containment has expired',
  'record.unreadable': 'a row of an outbox could not be read: what it should have recorded is not in the log',
  'case.closed': 'every item is proved, the manifest is complete',
} as const;
export type RecordType = keyof typeof RECORD_TYPES;

export interface EvidenceRecord {
  readonly v: 1;
  readonly id: string;
  readonly type: RecordType;
  /** Epoch seconds of the transaction that caused it. */
  readonly at: number;
  readonly case?: string;
  readonly ring?: string;
  readonly body: JsonObject;
}

export function formatRecord(record: EvidenceRecord): string {
  return canonicalJson(record);
}

/**
 * A record as a row of an outbox holds it. Every transition makes its records here, before it writes anything: what the
 * log would refuse is refused while the key, the case or the cut-off still is as it was. If it were found only on the way
 * out, the change would stand and its record would never reach the log.
 */
export function storedRecord(record: EvidenceRecord): JsonObject {
  parseRecord(Buffer.from(spell(record)));
  return { ...record };
}

/** The record that a row of an outbox holds: parsed as strictly as if it came from the log. */
export function recordFrom(stored: JsonObject): EvidenceRecord {
  return parseRecord(Buffer.from(canonicalJson(stored)));
}

/** Entry bundles give each entry a 16-bit length (C2SP tlog-tiles). */
export const RECORD_BYTES_MAX = 0xffff;

const MEMBERS = ['at', 'body', 'case', 'id', 'ring', 'type', 'v'];
const ID = /^[\w./:-]{1,200}$/;

/** Reads a record in its one spelling: `formatRecord(parseRecord(bytes))` gives the same bytes, or it is refused. */
export function parseRecord(bytes: Uint8Array): EvidenceRecord {
  if (bytes.length > RECORD_BYTES_MAX) throw refuse(`is at most ${RECORD_BYTES_MAX} bytes`, bytes.length);

  const text = Buffer.from(bytes).toString('utf8');
  const value = parseJson(text);
  if (!isMembers(value)) throw refuse('is a JSON object', typeof value);

  const { v, id, type, at, body } = value;
  const extra = Object.keys(value).find((name) => !MEMBERS.includes(name));
  if (extra !== undefined) throw refuse('has no member beside those of version 1', extra, MEMBERS);
  if (v !== 1) throw refuse('has v 1', v, 1);
  if (typeof id !== 'string' || !ID.test(id)) throw refuse(`has an id like ${ID.source}`, id);
  if (!isRecordType(type)) throw refuse('has a known type', type, Object.keys(RECORD_TYPES));
  if (!isInstant(at)) throw refuse('has at in whole epoch seconds', at);
  const of = { case: parseName('case', value.case), ring: parseName('ring', value.ring) };
  if (!isMembers(body)) throw refuse('has an object as body', typeof body);

  const record: EvidenceRecord = { ...value, v, id, type, at, ...of, body };
  if (!Buffer.from(spell(record)).equals(bytes)) throw refuse('is spelled canonically', text.slice(0, 80));
  return record;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse('is JSON', text.slice(0, 80), undefined, cause);
  }
}

function spell(record: EvidenceRecord): string {
  try {
    return formatRecord(record);
  } catch (cause) {
    throw refuse('has safe integers for numbers', record.id, undefined, cause);
  }
}

function isRecordType(type: unknown): type is RecordType {
  return typeof type === 'string' && Object.hasOwn(RECORD_TYPES, type);
}

function isInstant(at: unknown): at is number {
  return typeof at === 'number' && Number.isSafeInteger(at) && at >= 0;
}

/** The case, or the ring, that a record is of: it may be of none. */
function parseName(name: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && ID.test(value))) return value;
  throw refuse(`names its ${name} like ${ID.source}`, value);
}

function refuse(rule: string, got: unknown, allowed?: unknown, cause?: unknown): CurfewError {
  return new CurfewError('ERR_EVIDENCE_RECORD', `a record ${rule}`, { got, allowed, cause });
}
