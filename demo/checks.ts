/** What the demo claims, each claim beside what was observed. A claim without an observation is not in the list. */

export interface Check {
  readonly id: string;
  readonly claim: string;
  readonly expected: string;
  readonly observed: string;
  readonly ok: boolean;
}

/** One side of a pair: what was asked, by whom it was answered, and when. */
export interface Observation {
  /** `ok`, or the code of the refusal as the service spelled it. */
  readonly answer: string;
  readonly by: string;
}

export class Checks {
  readonly all: Check[] = [];

  constructor(private readonly say: (line: string) => void) {}

  /** The claim holds if the answer is the expected one. */
  claim(id: string, claim: string, expected: string, observation: Observation): void {
    this.add({ id, claim, expected, observed: describe(observation), ok: observation.answer === expected });
  }

  /** A refusal counts only beside a twin that was accepted in the same breath: otherwise all may be broken. */
  pair(id: string, claim: string, expected: string, doomed: Observation, twin: Observation): void {
    const ok = doomed.answer === expected && twin.answer === 'ok';
    this.add({
      id,
      claim,
      expected: `${expected}; twin ok`,
      observed: `${describe(doomed)}; twin ${describe(twin)}`,
      ok,
    });
  }

  /** A claim about how many. */
  count(id: string, claim: string, expected: number, observed: number): void {
    this.add({ id, claim, expected: String(expected), observed: String(observed), ok: expected === observed });
  }

  get failed(): readonly Check[] {
    return this.all.filter(({ ok }) => !ok);
  }

  private add(check: Check): void {
    this.all.push(check);
    this.say(
      `${check.ok ? '  ok  ' : '  FAIL'} ${check.claim}${check.ok ? '' : ` (expected ${check.expected}, observed ${check.observed})`}`,
    );
  }
}

/** Runs what may be refused, and tells how it was answered. */
export async function observe(by: string, ask: () => Promise<unknown>): Promise<Observation> {
  try {
    await ask();
    return { answer: 'ok', by };
  } catch (error) {
    return { answer: codeOf(error), by };
  }
}

/** AWS names its errors, we and jose give codes. */
export function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

function describe({ answer, by }: Observation): string {
  return `${answer} (${by})`;
}
