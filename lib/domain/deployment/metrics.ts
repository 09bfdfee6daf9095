/** The figures that a deployment puts into CloudWatch: what the alarms watch and the dashboard draws. */

export const METRICS_NAMESPACE = 'Curfew';

/** Each is put once per minute for each ring (dimensions Instance and Ring), and the worst of all rings (Instance). */
export const METRICS = {
  ActiveKeyAge: { unit: 'Seconds', says: 'how long the ACTIVE key has been signing' },
  StandbyKeys: { unit: 'Count', says: 'keys that stand by, seen in the JWKS and fit to sign next', lowest: true },
  RotationOverdue: { unit: 'Seconds', says: 'since when the ACTIVE key should have been replaced' },
  InspectionAge: { unit: 'Seconds', says: 'since when a tick has read every key back' },
  UndisabledKeys: { unit: 'Count', says: 'keys that KMS has been told to disable and may still sign with' },
  FeedAge: { unit: 'Seconds', says: 'since when the feed that verifiers read was signed' },
  KeyPolicyDrift: { unit: 'Count', says: 'keys whose policy, as read back, is not the one written at birth' },
  KeyPolicyPuts: {
    unit: 'Count',
    says: 'changes of a key, or of the rights to it, that CloudTrail saw and no Lambda of Curfew makes',
  },
} as const satisfies Record<
  string,
  { readonly unit: 'Seconds' | 'Count'; readonly says: string; readonly lowest?: true }
>;
export type MetricName = keyof typeof METRICS;

/** Put once per minute by the ticker, of all cases together (dimension Instance). */
export const CASE_METRICS = {
  HeldCases: { unit: 'Count', says: 'cases that are contained, and wait for two approvers or for sources that agree' },
  WaitingCases: { unit: 'Count', says: 'departures that are due and not contained, because nothing was imported' },
  OpenCaseAge: { unit: 'Seconds', says: 'how long the oldest case is open that waits for nobody' },
  RecheckAge: {
    unit: 'Seconds',
    says: 'since when what was shut should have been looked at again, and was not as a whole',
  },
} as const satisfies Record<string, { readonly unit: 'Seconds' | 'Count'; readonly says: string }>;
export type CaseMetricName = keyof typeof CASE_METRICS;
