/** The schedules of a ring in EventBridge Scheduler: copied for a ring that is in no stack, stopped, started, removed. */
import { call } from './rest';

interface Schedule {
  readonly ScheduleExpression: string;
  readonly FlexibleTimeWindow: object;
  readonly State: 'ENABLED' | 'DISABLED';
  /** Whom to invoke, under which role, with what, and where the undelivered goes. */
  readonly Target: { readonly Arn: string; readonly RoleArn: string; readonly Input: string };
}

const at = (name: string) => ({ service: 'scheduler', path: `/schedules/${name}` });

async function get(name: string): Promise<Schedule> {
  const { ScheduleExpression, FlexibleTimeWindow, State, Target } = await call<Schedule>({
    ...at(name),
    method: 'GET',
  });
  return { ScheduleExpression, FlexibleTimeWindow, State, Target };
}

/**
 * A ring that the test bore has no schedules. It gets those of a deployed one, but for the ring's name in the input:
 * its rotation and its heartbeat then take the path that `cdk deploy` laid. Answers their names.
 */
export async function scheduleLike(deployed: string, ring: string): Promise<string[]> {
  const { Schedules } = await call<{ Schedules: readonly { Name: string }[] }>({
    service: 'scheduler',
    method: 'GET',
    path: '/schedules',
  });
  const all = await Promise.all(Schedules.map(({ Name }) => get(Name)));
  const models = all.filter(({ Target }) => JSON.parse(Target.Input).ring === deployed);
  return Promise.all(
    models.map(async (model, n) => {
      const Input = JSON.stringify({ ...JSON.parse(model.Target.Input), ring });
      const body = { ...model, Target: { ...model.Target, Input } };
      await call({ ...at(`${ring}-${n}`), method: 'POST', body });
      return `${ring}-${n}`;
    }),
  );
}

/** Read back: what the test waits for rests on it. */
export async function switchSchedules(names: readonly string[], State: Schedule['State']): Promise<void> {
  for (const name of names) {
    await call({ ...at(name), method: 'PUT', body: { ...(await get(name)), State } });
    expect(await get(name)).toMatchObject({ State });
  }
}

export async function removeSchedules(names: readonly string[]): Promise<void> {
  for (const name of names) await call({ ...at(name), method: 'DELETE' });
}
