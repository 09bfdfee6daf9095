/** Every command, by the words it is called with: a table a noun. */
import type { CommandName } from '../../lib/domain/deployment/access';
import { ADOPT_COMMANDS } from './adopt';
import { CASE_COMMANDS } from './case';
import type { Command } from './command';
import { DOCTOR_COMMANDS } from './doctor';
import { EVIDENCE_COMMANDS } from './evidence';
import { PEOPLE_COMMANDS } from './people';
import { REPORT_COMMANDS } from './report';
import { RING_COMMANDS } from './ring';
import { VERIFIER_COMMANDS } from './verifier';

/** Those of `lib/domain/deployment/access.ts`, every one: a command without its row of rights does not compile, nor a row without its command. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  ...RING_COMMANDS,
  ...DOCTOR_COMMANDS,
  ...CASE_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...ADOPT_COMMANDS,
  ...VERIFIER_COMMANDS,
  ...EVIDENCE_COMMANDS,
  ...REPORT_COMMANDS,
};
