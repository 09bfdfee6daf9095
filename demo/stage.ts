/** What every scene of the story shares: the deployment, the people, the tokens, and the list of what was observed. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { KMSClient } from '@aws-sdk/client-kms';
import { verifierConfig } from '../bin/commands/verifier';
import { Instance } from '../bin/edge/instance';
import { LOCAL_ACCOUNT } from '../emulator/emulator';
import type { Feed } from '../lib/domain/feed/feed';
import { parseCompact } from '../lib/domain/jose/compact';
import { jwkFromSpki } from '../lib/domain/jose/jwk';
import type { Ring } from '../lib/domain/rings/ring';
import { createVerifier } from '../lib/verifier';
import { loadRing } from '../lib/work/rings/load-ring';
import { Checks } from './checks';
import { fetchTextPatiently, invokePatiently } from './patience';
import type { Shop } from './tokens';

export const INSTANCE = 'demo';
export const RING = 'customer-api';
export const ISSUER = 'https://login.shop.example/customer-api';
export const AUDIENCE = 'https://api.shop.example';
export const HR_SOURCE = 'people-system';
/** Members of each kind: with a token of the PEM, and with one of the ring. */
export const MEMBERS = 100;

/** Verifiers of the story poll as often as a feed may be polled. */
export const POLL_SECONDS = 1;

export interface Stage {
  readonly dir: string;
  readonly out: string;
  readonly say: (line: string) => void;
  readonly checks: Checks;
  readonly instance: Instance;
  readonly shop: Shop;
  readonly intakeUrl: string;
  readonly roleArns: Readonly<Record<'issuer' | 'resigner' | 'rotator' | 'disabler', string>>;
  /** A service that uses `curfew/verifier`. */
  readonly service: { verify(token: unknown): Promise<unknown> };
  readFeed(): Promise<Feed>;
  ring(): Promise<Ring>;
  jwks(): Promise<string>;
  /** KMS's own answer under the issuer's right. */
  probe(kmsKeyArn: string | undefined): Promise<{ answer: string; by: string }>;
}

export const kms = new KMSClient({});
export const now = () => Math.floor(Date.now() / 1000);

export async function setStage(dir: string, out: string, say: (line: string) => void): Promise<Stage> {
  const instance = await Instance.find(INSTANCE);
  const publicBaseUrl = instance.output('PublicBaseUrl');
  const endpoint = process.env.AWS_ENDPOINT_URL ?? '';
  // The emulator serves an API under a path of its own.
  process.env.CURFEW_API_URL = `${endpoint}/_aws/execute-api/${instance.output('ApiId', 'offboarding')}/$default`;
  const config = await verifierConfig(instance, RING);
  const role = (name: string) => `arn:aws:iam::${LOCAL_ACCOUNT}:role/curfew-${INSTANCE}-${name}`;
  const read = (path: string) => fetchTextPatiently(`${publicBaseUrl}/r/${RING}/${path}`);

  return {
    dir,
    out,
    say,
    checks: new Checks(say),
    instance,
    shop: { ring: RING, issuer: ISSUER, audience: AUDIENCE, publicBaseUrl, legacy: pemOf(dir) },
    intakeUrl: `${endpoint}/_aws/execute-api/${instance.output('ApiId', 'offboarding')}/$default/hr/${HR_SOURCE}`,
    roleArns: {
      issuer: role('issuer'),
      resigner: role('resigner'),
      rotator: role('rotator'),
      disabler: role('disabler'),
    },
    service: createVerifier({ ...config, pollSeconds: POLL_SECONDS, fetchText: fetchTextPatiently }),
    readFeed: async () =>
      JSON.parse(parseCompact(await read('feed'), Number.MAX_SAFE_INTEGER).payload.toString()) as Feed,
    ring: () => loadRing(instance, RING),
    jwks: () => read('.well-known/jwks.json'),
    probe: async (kmsKeyArn = '') => {
      const request = { op: 'probe', kmsKeyArn, algorithm: 'ES256' } as const;
      const { probe } = await invokePatiently('the issuer', () => instance.functions.invoke('issuer', request));
      return { answer: probe?.signed ? 'ok' : (probe?.code ?? 'no answer'), by: 'KMS, asked as the issuer' };
    },
  };
}

/** The PEM that the company signed with, and that W-1042 kept a copy of. The supervisor made it for this run. */
function pemOf(dir: string): Shop['legacy'] {
  const privateKey = createPrivateKey(readFileSync(`${dir}/legacy.pem`));
  const { publicKey } = { publicKey: readFileSync(`${dir}/legacy.spki`) };
  return { kid: jwkFromSpki(publicKey, 'ES256').kid, privateKey };
}
