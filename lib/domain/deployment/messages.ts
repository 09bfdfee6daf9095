/** What Lambdas say to each other, by callee. References and plain facts; a token only from the issuer to its caller. */
import type { EvidenceRecord } from '../evidence/record';
import type { SigningAlgorithm } from '../jose/algorithm';
import type { TaintTarget } from '../rings/taint';
import type { Decision } from '../store/approval';
import type { EndedKey } from '../store/case';
import type { Imported } from '../store/people';
import type { SubjectType } from '../tokens/claims';
import type { ResignCounts, WaveBatch } from '../tokens/wave';

/** What the state machine says to each step of a case: references only, never a name, an ARN or a token. */
export interface StepRequest {
  readonly caseId: string;
  readonly attempt: number;
  readonly step: string;
  /** Of a map: which item. */
  readonly nn?: string;
}

/** It was done: an error says that it was not. */
type Nothing = Readonly<Record<string, never>>;

export interface Messages {
  issuer: {
    request:
      | {
          readonly op: 'issue';
          readonly ring: string;
          readonly claims: Readonly<Record<string, unknown>>;
          readonly callerArn: string;
        }
      /** Signs the digest of a fixed sentence that cannot be a JWS signing input; never returns the signature. */
      | { readonly op: 'probe'; readonly kmsKeyArn: string; readonly algorithm: SigningAlgorithm };
    response: {
      readonly token?: string;
      readonly exp?: number;
      /** Of a probe: KMS's own answer. `code` is KMS's error name when it refused. */
      readonly probe?: { readonly signed: boolean; readonly code?: string };
    };
  };
  rotator: {
    request:
      | { readonly op: 'tick'; readonly ring: string }
      /** Enables the STANDBY that a taint of the ACTIVE key would activate, and probes it through the issuer. */
      | { readonly op: 'prepare'; readonly ring: string }
      /** Disables every KMS key of the ring that may not sign any more, the caller's `prepared` STANDBY too if unused. */
      | { readonly op: 'disable-old'; readonly ring: string; readonly prepared?: string }
      /** Activates the next STANDBY although nothing is due. Does nothing unless `from` still is the ACTIVE kid: a retry never rotates twice. */
      | { readonly op: 'rotate'; readonly ring: string; readonly from: string; readonly reason: string };
    response: {
      readonly done: readonly string[];
      /** prepare: the STANDBY made ready; rotate: the kid that issues now. */
      readonly kid?: string;
      /** disable-old: KMS's state of each key that must not sign. */
      readonly disabled?: readonly { readonly kid: string; readonly state: string }[];
      /** rotate, disable-old: codes of what could not be done beside what was asked; the next tick tries again. */
      readonly failed?: readonly string[];
    };
  };
  taint: {
    request: /** Taints every target of the ring in one transaction; an ACTIVE target is replaced by `successor` in the same. */
      | {
          readonly op: 'taint';
          readonly ring: string;
          readonly targets: readonly TaintTarget[];
          readonly successor?: string;
          readonly caseId?: string;
        }
      /** DENIES the targets whose wave is over; answers what is still pending. */
      | { readonly op: 'deny'; readonly ring: string; readonly kids: readonly string[] };
    response: {
      readonly states: readonly { readonly kid: string; readonly state: string }[];
      /** taint: what pass 1 has to work on; deny: the batches whose last pass still found something. */
      readonly batches: readonly WaveBatch[];
    };
  };
  /** Has a case end a key, and starts it; asked again, the same case is looked after. */
  'taint-opener': {
    request: EndedKey;
    response: { readonly caseId: string };
  };
  /** Stops the ring from issuing, or lets it issue again. */
  halt: {
    request: { readonly op: 'halt' | 'resume'; readonly ring: string; readonly reason: string };
    /** As read back. */
    response: { readonly halted: boolean; readonly activeKid?: string };
  };
  publisher: { request: { readonly ring: string }; response: { readonly seq: number } };
  cutter: {
    request: {
      readonly ring: string;
      readonly subjects: readonly { readonly type: SubjectType; readonly value: string }[];
      readonly caseId: string;
      /** Epoch seconds: no token issued at or before this counts any more. */
      readonly notBefore: number;
    };
    /** As read back, in the order of the subjects. */
    response: {
      readonly cutOffs: readonly { readonly notBefore: number; readonly blocked: boolean }[];
    };
  };
  recorder: {
    request: { readonly ring: string; readonly tokens: readonly string[] };
    /** `n` counts from 0 in the order given; a token is never echoed. */
    response: { readonly recorded: number; readonly refused: readonly { readonly n: number; readonly code: string }[] };
  };
  disabler: {
    /** `look` only reads the state: the key's policy lets nobody else of ours ask. */
    request: { readonly kmsKeyArn: string; readonly op?: 'disable' | 'look' };
    response: { readonly state: string };
  };
  latch: { request: { readonly userName: string; readonly caseId: string }; response: Nothing };
  'iam-disabler': {
    request:
      | { readonly op: 'deactivate-access-key'; readonly userName: string; readonly accessKeyId: string }
      | { readonly op: 'delete-login-profile'; readonly userName: string };
    response: Nothing;
  };
  /** These open what a departure shut, for a give-back, whose approvals each reads itself. */
  'latch-release': { request: { readonly userName: string; readonly caseId: string }; response: Nothing };
  'key-enabler': {
    request:
      | {
          readonly op: 'activate-access-key';
          readonly userName: string;
          readonly accessKeyId: string;
          readonly caseId: string;
        }
      | { readonly op: 'enable-kms-key'; readonly kmsKeyArn: string; readonly caseId: string }
      /** Opens nothing, so it needs no approvals: whether the key's own policy would let us enable it. */
      | { readonly op: 'look'; readonly kmsKeyArn: string };
    response: { readonly mayEnable?: boolean };
  };
  'subject-release': {
    request: {
      readonly ring: string;
      readonly subjects: readonly { readonly type: SubjectType; readonly value: string }[];
      readonly caseId: string;
    };
    /** As read back, in the order of the subjects. */
    response: { readonly cutOffs: readonly { readonly notBefore: number; readonly blocked: boolean }[] };
  };
  /** The steps of a case, for whoever does them beside the state machine. */
  planner: {
    request: StepRequest;
    response: { readonly items: readonly { readonly nn: string }[]; readonly all: readonly { readonly nn: string }[] };
  };
  conductor: { request: StepRequest; response: { readonly nn?: string } };
  prover: { request: StepRequest; response: { readonly nn: string; readonly open?: boolean } };
  committer: {
    /** Folds every issued digest that waits into committed lists. */
    request: Nothing;
    response: { readonly committed: number };
  };
  resigner: {
    request: WaveBatch & { readonly pass: number };
    response: ResignCounts;
  };
  appender: { request: { readonly records: readonly EvidenceRecord[] }; response: { readonly appended: number } };
  sequencer: { request: Nothing; response: { readonly size: number; readonly root: string } };
  decider: {
    request: {
      readonly caseId: string;
      readonly question: number;
    };
    response: { readonly decided?: Decision };
  };
  'case-folder': {
    request:
      | { readonly source: string; readonly delivery: string }
      /** Begins what is due of this worker. */
      | { readonly workerId: string }
      /** Looks whether these imports named what no plan covers of somebody who left. */
      | { readonly imports: readonly Imported[] };
    response: Nothing;
  };
}
