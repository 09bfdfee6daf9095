/** One request, as `@cloud-copilot/iam-simulate` decides it: identity policies, the policy on the thing, and the context. */
import { type AllowedConditionExpression, runSimulation, type SimulationMode } from '@cloud-copilot/iam-simulate';
import type { Principal } from './principals';
import { ACCOUNT } from './resolved';
import type { Thing } from './things';

type Context = Readonly<Record<string, string | string[]>>;

async function simulated(mode: SimulationMode, by: Principal, action: string, on: Thing, context: Context) {
  const outcome = await runSimulation(
    {
      request: {
        principal: by.arn,
        action,
        resource: { resource: on.arn, accountId: ACCOUNT },
        contextVariables: { ...context },
      },
      identityPolicies: [...by.policies],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: on.policy,
    },
    { simulationMode: mode },
  );
  if (outcome.resultType !== 'error') return outcome;
  throw new Error(`${by.name} ${action} ${on.name}: the simulator says ${JSON.stringify(outcome.errors)}`);
}

/** With exactly this context: a condition on a key that it lacks decides as AWS decides it. */
export async function isAllowed(by: Principal, action: string, on: Thing, context: Context = {}): Promise<boolean> {
  const { overallResult } = await simulated('Strict', by, action, on, context);
  return overallResult === 'Allowed';
}

/** Under which conditions it is allowed, as one text; '' is always, and undefined never. */
export async function allowedIf(by: Principal, action: string, on: Thing): Promise<string | undefined> {
  const outcome = await simulated('Discovery', by, action, on, {});
  if (outcome.overallResult !== 'Allowed') return undefined;
  if (outcome.resultType !== 'single') throw new Error(`${by.name} ${action} ${on.name}: more than one outcome`);
  return textOf(outcome.result.analysis.conditions);
}

function textOf(expression: AllowedConditionExpression | undefined): string {
  switch (expression?.conditionType) {
    case undefined:
    case 'always':
      return '';
    case 'never':
      return 'never';
    case 'sessionName':
      return `session ${expression.sessionName.join(' or ')}`;
    case 'condition':
      return `${expression.key} ${expression.op} ${[expression.values].flat().join(' or ')}`;
    case 'group': {
      const parts = [...new Set(expression.conditions.map(textOf))].sort();
      return parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(` ${expression.operator} `)})`;
    }
  }
}
