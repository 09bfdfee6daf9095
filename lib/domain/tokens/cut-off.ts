/**
 * Cut-off and block: "no token of this subject issued at or before T", in O(1), however many tokens there are.
 * Subjects go by a blinded name, so that neither the table nor the feed says who left.
 */
import { createHmac } from 'node:crypto';
import type { CutOff } from '../feed/feed';
import { type Claims, type SubjectType, subjectsOf } from './claims';

export interface Subject {
  readonly type: SubjectType;
  readonly value: string;
}

/** base64url(HMAC-SHA256(pepper, type NUL value)); the pepper is one random value an instance, in Secrets Manager. */
export function blind(pepper: string, { type, value }: Subject): string {
  return createHmac('sha256', pepper).update(`${type}\0${value}`).digest('base64url');
}

/** Everybody whose cut-off ends a token with these claims, by their blinded names. */
export function blindSubjects(pepper: string, claims: Claims): string[] {
  return subjectsOf(claims).map((subject) => blind(pepper, subject));
}

export function isCutOff(cut: Pick<CutOff, 'notBefore' | 'blocked'> | undefined, iat: number): boolean {
  return cut !== undefined && (cut.blocked || iat <= cut.notBefore);
}
