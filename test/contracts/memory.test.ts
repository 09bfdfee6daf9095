/** The in-memory twins keep the promises of the ports. The AWS adapters do in test/emulator/contracts.test.ts. */
import { SettableClock } from '../../lib/local/clock';
import { MemoryHrSources } from '../../lib/local/hr-sources';
import { MemoryHttp } from '../../lib/local/http';
import { MemoryIam } from '../../lib/local/iam';
import { MemoryKms } from '../../lib/local/kms';
import { MemoryObjects } from '../../lib/local/objects';
import { SeededRandom } from '../../lib/local/random';
import { MemorySealer } from '../../lib/local/sealer';
import { MemorySecrets } from '../../lib/local/secrets';
import { MemoryTables } from '../../lib/local/tables';
import { roleArn } from '../../lib/local/world';
import { idsFor } from '../support/seeded';
import { hrSourcesContract } from './hr-sources.contract';
import { httpContract } from './http.contract';
import { iamContract } from './iam.contract';
import { kmsContract } from './kms.contract';
import { objectsContract } from './objects.contract';
import { sealerContract } from './sealer.contract';
import { secretsContract } from './secrets.contract';
import { tablesContract } from './tables.contract';

const id = idsFor('contracts of the twins');

describe('tables in memory', () => tablesContract(() => new MemoryTables()));

describe('kms in memory', () => {
  const clock = new SettableClock(1_800_000_000);
  const kms = new MemoryKms(clock, new SeededRandom('kms'));
  kmsContract(() => ({
    accountId: '000000000000',
    roleArns: {
      issuer: roleArn('issuer'),
      resigner: roleArn('resigner'),
      rotator: roleArn('rotator'),
      disabler: roleArn('disabler'),
    },
    now: () => clock.now(),
    signerAs: (role) => kms.signerFor(roleArn(role)),
    ringKeysAs: (role) => kms.ringKeysFor(roleArn(role)),
    disablerAs: (role) => kms.disablerFor(roleArn(role)),
  }));
});

describe('objects in memory', () => objectsContract(() => new MemoryObjects()));

describe('sealer in memory', () =>
  sealerContract(() => {
    const sealer = new MemorySealer(new SeededRandom('sealer'));
    return { sealer, shred: async (pseudonym) => sealer.shred(pseudonym) };
  }));

describe('iam in memory', () =>
  iamContract(() => {
    const denyPolicyArn = 'arn:aws:iam::000000000000:policy/leaver-deny';
    const iam = new MemoryIam(denyPolicyArn);
    const makeUser = async (accessKeys: number) => {
      const name = `w-${id()}`;
      const accessKeyIds = Array.from({ length: accessKeys }, (_, n) => `AKIA${n}`);
      iam.addUser(name, { accessKeyIds, loginProfile: true, tags: { team: 'auth' } });
      return name;
    };
    return { iam, latch: iam, iamDisabler: iam, denyPolicyArn, makeUser };
  }));

describe('secrets in memory', () =>
  secretsContract(() => {
    const secrets = new MemorySecrets();
    return { fresh: () => secrets, rotate: async (name, value) => secrets.rotate(name, value) };
  }));

describe('HR sources in memory', () =>
  hrSourcesContract(() => {
    const sources = new MemoryHrSources();
    return { fresh: () => sources, write: (given) => sources.write(given) };
  }));

describe('http in memory', () =>
  httpContract(() => {
    const http = new MemoryHttp();
    http.route('https://a.test/ok', (_, headers) => ({ status: 200, body: headers['x-probe'] ?? '' }));
    http.route('https://a.test/gone', () => ({ status: 404, body: 'gone' }));
    http.route('https://a.test/moved', () => ({ status: 302, body: '' }));
    return { http, baseUrl: 'https://a.test', deadUrl: 'https://b.test' };
  }));
