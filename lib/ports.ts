/**
 * Everything outside the process, one interface a thing. `lib/aws` and `lib/local` implement these; tables, KMS, objects,
 * sealer, IAM, secrets and HTTP under one contract suite each (`test/contracts`). Each comment states what the
 * implementation owes its callers.
 */

import type { DeploymentConfig } from './domain/deployment/deployment-config';
import type { Messages } from './domain/deployment/messages';
import type { CaseMetricName, MetricName } from './domain/deployment/metrics';
import type { Bucket, FunctionName, Right, RightsOf } from './domain/deployment/rights';
import type { SigningAlgorithm } from './domain/jose/algorithm';
import type { Range, Readable } from './domain/store/entity';
import type { HrSource } from './domain/store/hr-sources';
import type { Allowed, Row, RowKey, TableRight, Write } from './domain/store/table';

/** Whole epoch seconds. */
export interface Clock {
  now(): number;
  /** Waits; for what AWS makes true a moment after it said so. */
  sleep(seconds: number): Promise<void>;
}

/** Cryptographically strong bytes. */
export interface Random {
  bytes(length: number): Buffer;
}

interface QueryOptions {
  /** Newest (largest sort key) first. */
  readonly descending?: boolean;
  /** At most this many rows; all of them otherwise. */
  readonly limit?: number;
}

export interface Query<T> extends QueryOptions {
  readonly table: T;
  readonly pk: string;
  /** Only sort keys that begin with this. */
  readonly prefix?: string;
}

/** One page of one part of a table: the table falls into `segments` parts, and no row is in two of them. */
export interface Scan<T> {
  readonly table: T;
  /** Only sort keys that begin with this. */
  readonly prefix: string;
  readonly segment: number;
  readonly segments: number;
  /** Goes on after the page that answered it as `next`. */
  readonly after?: RowKey;
}

interface ScanPage {
  /** Perhaps none, and yet not the last page. */
  readonly rows: readonly Row[];
  readonly next?: RowKey;
}

/**
 * Rows under conditions, as they are stored. Reads are strongly consistent, but for `scan`. A transaction is all or nothing and
 * serialisable with every other; it throws `ERR_CONDITION_FAILED` when a test does not hold, and then nothing was
 * written. After any other error the outcome is unknown: callers make their transactions safe to repeat.
 */
export interface Rows<R extends TableRight = TableRight> {
  get(table: Allowed<R, 'get'>, key: RowKey): Promise<Row | undefined>;
  /** All pages, in sort-key order. */
  query(query: Query<Allowed<R, 'query'>>): Promise<Row[]>;
  /** In no order; what was written some seconds ago may be missing. A row with a foreign type in it is there as well. */
  scan(scan: Scan<Allowed<R, 'scan'>>): Promise<ScanPage>;
  /** 1 to 100 writes, each on another row. */
  transact(writes: readonly Write<R>[]): Promise<void>;
}

/** The same, parsed: what a row holds, or `ERR_ITEM_INVALID`. No handler sees a row that its entity does not know. */
interface ParsedTables<R extends TableRight> {
  get<A extends readonly unknown[], V>(of: Readable<Allowed<R, 'get'>, A, V>, ...key: A): Promise<V | undefined>;
  /** One row that cannot be read refuses the whole answer. */
  query<V>(range: Range<Allowed<R, 'query'>, V>, options?: QueryOptions): Promise<V[]>;
  /** Not parsed: for the sweep, which looks for rows that no entity can read as well. */
  scan: Rows<R>['scan'];
  transact(writes: readonly Write<R>[]): Promise<void>;
}
/** By its members, so that tables with more rights pass for tables with fewer. */
export type Tables<R extends TableRight = TableRight> = Pick<ParsedTables<R>, keyof ParsedTables<R>>;

/** The right to sign with one kind of key. Returns the signature as KMS does: DER for ECDSA, raw bytes otherwise. */
export interface Signer {
  /** `ERR_KEY_DISABLED`, `ERR_ACCESS_DENIED` when KMS says so; nothing is retried under another key. */
  sign(kmsKeyArn: string, algorithm: SigningAlgorithm, message: Uint8Array): Promise<Buffer>;
  /** SubjectPublicKeyInfo, DER. Granted with the feed key and the checkpoint key, whose signatures are checked before release. */
  publicKey(kmsKeyArn: string): Promise<Buffer>;
}

export interface KmsKeyDescription {
  readonly state: 'Enabled' | 'Disabled' | 'PendingDeletion' | 'Unavailable';
  readonly origin: string;
}

/** Birth and death of ring keys. Cannot sign. */
export interface RingKeys {
  /**
   * CreateKey has no idempotency token: callers look for the slot's tag first (`find`), and an answer that was lost leaves
   * a second key under the same tag.
   */
  create(request: {
    readonly algorithm: SigningAlgorithm;
    readonly slotTag: string;
    readonly policy: string;
    /** Without it KMS refuses a policy under which the caller could not change it again, which is how ours is meant. */
    readonly bypassPolicyLockoutSafetyCheck: boolean;
  }): Promise<string>;
  /**
   * The ARNs of the keys that carry this slot tag: one, none, or more where two rotators met. The search by tag is
   * eventually consistent: it may miss a key of the last minutes, and may name one that is gone. That a key is not found
   * is no proof that it does not exist: callers write down what they create, and look again later.
   */
  find(slotTag: string): Promise<readonly string[]>;
  /** SubjectPublicKeyInfo, DER. */
  publicKey(kmsKeyArn: string): Promise<Buffer>;
  enable(kmsKeyArn: string): Promise<void>;
  disable(kmsKeyArn: string): Promise<void>;
  describe(kmsKeyArn: string): Promise<KmsKeyDescription>;
  policy(kmsKeyArn: string): Promise<string>;
  /** Ids of the grants on the key: rights beside its policy, which a policy put right again does not take back. */
  grants(kmsKeyArn: string): Promise<readonly string[]>;
}

/** Disables and cannot enable. */
export interface KeyDisabler {
  disable(kmsKeyArn: string): Promise<void>;
  describe(kmsKeyArn: string): Promise<KmsKeyDescription>;
}

export interface StoredObject {
  readonly body: Buffer;
  /** Names this very version; pass it to `put` as `ifMatch` for a compare-and-swap. */
  readonly etag: string;
}

/** Objects by key. When `put` returns, the object is durable. Conditional puts throw `ERR_CONDITION_FAILED`. */
export interface Objects<R extends Right = Right> {
  get(bucket: BucketOf<R, 'get'>, key: string): Promise<StoredObject | undefined>;
  /** Keys that begin with the prefix, in order; only those after `after`, if it is given. */
  list(bucket: BucketOf<R, 'list'>, prefix: string, after?: string): Promise<string[]>;
  put(
    bucket: BucketOf<R, 'put'>,
    key: string,
    body: Uint8Array,
    condition?: { readonly ifAbsent: true } | { readonly ifMatch: string },
  ): Promise<void>;
}
type BucketOf<R extends Right, V extends 'get' | 'put' | 'list'> = {
  [B in Bucket]: `${B}:${V}` extends R ? B : never;
}[Bucket];

/** Synchronous invocation of another Lambda; an error of the callee is thrown here with its code and message. */
export interface Functions<R extends Right = Right> {
  invoke<F extends Invocable<R>>(name: F, request: Messages[F]['request']): Promise<Messages[F]['response']>;
}
type Invocable<R extends Right> = {
  [F in keyof Messages]: F extends string ? (`invoke:${F}` extends R ? F : never) : never;
}[keyof Messages];

/**
 * Personal data under one key a person. Sealing the same text twice gives two texts. Once the person's key is
 * shredded, nothing opens. `context` is bound: a sealed field moved to another place does not open.
 */
export interface Sealer {
  seal(pseudonym: string, context: string, clear: string): Promise<string>;
  open(pseudonym: string, context: string, sealed: string): Promise<string>;
}

/** Secret values by their configured name. All live values, newest first: rotation keeps the old one valid for a while. */
export interface Secrets<N extends string = string> {
  values(name: N): Promise<readonly string[]>;
}

/**
 * The HR sources of the deployment by the name in their URL. Undefined: there is none of that name. A source that was
 * added or changed is known everywhere within a minute.
 */
export interface HrSources {
  find(name: string): Promise<HrSource | undefined>;
}

export interface AccessKey {
  readonly accessKeyId: string;
  readonly status: 'Active' | 'Inactive';
}

/** What IAM holds of one user. Reads only. `undefined` user: it does not exist. */
export interface IamReader {
  user(
    userName: string,
  ): Promise<{ readonly arn: string; readonly tags: Readonly<Record<string, string>> } | undefined>;
  accessKeys(userName: string): Promise<readonly AccessKey[]>;
  hasLoginProfile(userName: string): Promise<boolean>;
  attachedPolicyArns(userName: string): Promise<readonly string[]>;
}

/** The latch: one tag and one pre-provisioned deny policy. Both are idempotent. It cannot take them off. */
export interface IamLatch {
  /** Attach first, then tag: untagged, the policy denies nothing, so a crash between leaves the user unchanged. */
  attachDenyPolicy(userName: string): Promise<void>;
  tagLeaver(userName: string, caseId: string): Promise<void>;
}

/** Ends what the user can authenticate with. Idempotent: what is gone stays gone. */
export interface IamDisabler {
  deactivateAccessKey(userName: string, accessKeyId: string): Promise<void>;
  deleteLoginProfile(userName: string): Promise<void>;
}

/** Takes the latch off. Both are idempotent. */
export interface IamLatchRelease {
  untagLeaver(userName: string): Promise<void>;
  detachDenyPolicy(userName: string): Promise<void>;
}

export interface IamEnabler {
  /** Idempotent. `ERR_NOT_FOUND` where the user or the key is gone: what does not exist cannot be given back. */
  activateAccessKey(userName: string, accessKeyId: string): Promise<void>;
}

/** Enables a key whose policy lets it; `ERR_ACCESS_DENIED` otherwise. */
export interface KeyEnabler {
  enable(kmsKeyArn: string): Promise<void>;
  /** The key policy as it stands; `ERR_ACCESS_DENIED` where it does not let us read it. */
  policy(kmsKeyArn: string): Promise<string>;
}

export interface Stacks {
  /**
   * CloudFormation takes an update of this stack back: what it sends to a custom resource now was deployed before. False
   * for a stack that it does not let us see.
   */
  isRollingBack(stackId: string): Promise<boolean>;
}

export interface Workflow {
  /** Starts one execution a name; starting the same name again is success. */
  start(name: string, input: { readonly caseId: string; readonly attempt: number }): Promise<void>;
  /** False for one that ended, however it ended, and for one that is not known. */
  isRunning(name: string): Promise<boolean>;
}

/** When `put` returns, the bus has the event. Callers repeat: one id may arrive twice, so listeners go by the id. */
export interface Events {
  put(
    detailType: string,
    detail: { readonly id: string } & Readonly<Record<string, string | number | boolean>>,
  ): Promise<void>;
}

/** One figure at one instant, for alarms and the dashboard: of one ring, or of the instance. */
export interface Metric {
  readonly name: MetricName | CaseMetricName;
  readonly value: number;
  readonly ring?: string;
}

/** When `put` returns, the figures are kept. One that is put twice is the same figure twice: alarms look at extremes, not at sums. */
export interface Metrics {
  put(metrics: readonly Metric[]): Promise<void>;
}

export interface Http {
  /** GET with a five-second limit. Throws `ERR_UNAVAILABLE` when nothing answered. */
  get(
    url: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly body: string }>;
}

type TableRightsIn<R extends Right> = Extract<R, TableRight>;
type If<R extends Right, Needed extends string, P> = [Extract<R, Needed>] extends [never] ? unknown : P;

/** The ports that a set of rights opens, and no others. */
export type PortsFor<R extends Right> = {
  readonly clock: Clock;
  readonly random: Random;
  readonly config: DeploymentConfig;
} & If<R, TableRight, { readonly tables: Tables<TableRightsIn<R>> }> &
  If<R, 'sign:ring' | 'sign:feed' | 'sign:checkpoint', { readonly signer: Signer }> &
  If<R, 'kms:lifecycle', { readonly ringKeys: RingKeys }> &
  If<R, 'kms:disable', { readonly keyDisabler: KeyDisabler }> &
  If<R, `${Bucket}:${string}`, { readonly objects: Objects<R> }> &
  If<R, `invoke:${string}`, { readonly functions: Functions<R> }> &
  If<R, 'seal', { readonly sealer: Pick<Sealer, 'seal'> }> &
  If<R, 'secret:webhook' | 'secret:pepper', { readonly secrets: Secrets }> &
  If<R, 'hr-sources:get', { readonly hrSources: HrSources }> &
  If<R, 'iam:read', { readonly iam: IamReader }> &
  If<R, 'iam:latch', { readonly latch: IamLatch }> &
  If<R, 'iam:disable', { readonly iamDisabler: IamDisabler }> &
  If<R, 'iam:release', { readonly latchRelease: IamLatchRelease }> &
  If<R, 'iam:enable', { readonly iamEnabler: IamEnabler }> &
  If<R, 'kms:enable', { readonly keyEnabler: KeyEnabler }> &
  If<R, 'workflow:start', { readonly workflow: Workflow }> &
  If<R, 'stacks:status', { readonly stacks: Stacks }> &
  If<R, 'events:put', { readonly events: Events }> &
  If<R, 'metrics:put', { readonly metrics: Metrics }> &
  If<R, 'http:get', { readonly http: Http }>;

/** A handler's whole world: `Deps<'issuer'>` has what the issuer's row of `RIGHTS` opens. */
export type Deps<F extends FunctionName> = PortsFor<RightsOf<F>>;
