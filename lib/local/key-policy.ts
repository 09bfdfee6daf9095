/**
 * As much of KMS key-policy evaluation as Curfew's policies use. Explicit Deny wins, then an Allow, then nothing.
 * An operator it does not know is an error, never a guess: a test must not pass for a condition nobody evaluated.
 */
import { CurfewError } from '../domain/base/errors';

interface KmsRequest {
  readonly principalArn: string;
  readonly action: string;
  /** Condition keys of this request; `aws:CurrentTime` as ISO text. */
  readonly context: Readonly<Record<string, string>>;
}

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | { readonly AWS: string | readonly string[] };
  readonly Action: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export function isAllowed(policy: string, request: KmsRequest): boolean {
  const statements = (JSON.parse(policy) as { Statement: readonly Statement[] }).Statement;
  const applying = statements.filter((statement) => applies(statement, request));
  return applying.some(({ Effect }) => Effect === 'Allow') && !applying.some(({ Effect }) => Effect === 'Deny');
}

function applies(statement: Statement, request: KmsRequest): boolean {
  const principals = statement.Principal === '*' ? ['*'] : many(statement.Principal.AWS);
  if (!principals.some((arn) => arn === '*' || arn === request.principalArn)) return false;
  if (!many(statement.Action).some((pattern) => matches(pattern, request.action))) return false;
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) => {
      const given = request.context[key];
      const judge = OPERATORS[operator];
      if (!judge)
        throw new CurfewError('ERR_INPUT_INVALID', 'the condition operator is not modelled', {
          got: operator,
          allowed: Object.keys(OPERATORS),
        });
      return given !== undefined && many(values).some((value) => judge(given, value));
    }),
  );
}

const OPERATORS: Readonly<Record<string, (given: string, value: string) => boolean>> = {
  StringEquals: (given, value) => given === value,
  DateGreaterThan: (given, value) => Date.parse(given) > Date.parse(value),
  DateLessThan: (given, value) => Date.parse(given) < Date.parse(value),
};

function matches(pattern: string, action: string): boolean {
  return pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : pattern === action;
}

function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
