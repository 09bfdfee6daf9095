/**
 * What a deployment wrote about its HR sources, by the name in their URL: how each signs, what its word is worth, and
 * where its secret is.
 *
 *     {"people-system":{"scheme":"standard-webhooks","corroboration":"signed-fact","secretArn":"arn:…"},…}
 *
 * It stands in a secret of its own (`SecretHrSources`), so whoever may put that secret's value can add a source. It has no
 * version: a deployment writes it together with the code that reads it.
 */
import * as z from 'zod/mini';
import { parseWritten } from './deployed';
import { CORROBORATIONS, type Corroboration, MEANINGS, type Meaning } from './inbox';
import type { Schema } from './members';
import { text } from './shapes';

const HR_SCHEMES = ['standard-webhooks', 'bamboohr'] as const;

export interface HrSource {
  readonly scheme: (typeof HR_SCHEMES)[number];
  readonly corroboration: Corroboration;
  /** The system of record behind it. @default - the source's own name */
  readonly origin?: string;
  /** IANA time zone of its bare dates: such a date is the end of that day there. Without it a bare date is refused. */
  readonly zone?: string;
  /** @default access-end */
  readonly dateMeans?: Meaning;
  readonly secretArn: string;
}

const HR_SOURCES: Schema<Readonly<Record<string, HrSource>>> = z.record(
  text,
  z.strictObject({
    scheme: z.enum(HR_SCHEMES),
    corroboration: z.enum(CORROBORATIONS),
    origin: z.optional(z.string().check(z.minLength(1))),
    zone: z.optional(z.string().check(z.minLength(1))),
    dateMeans: z.optional(z.enum(MEANINGS)),
    secretArn: z.string().check(z.minLength(1)),
  }),
);

export function parseHrSources(written: string): Readonly<Record<string, HrSource>> {
  return parseWritten(HR_SOURCES, 'the HR sources', written);
}
