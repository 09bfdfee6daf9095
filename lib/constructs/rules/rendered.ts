/**
 * What would really be deployed: every resource as its template has it, with overrides, raw resources, included
 * templates and nested stacks. The properties of constructs are what somebody meant; the template is what CloudFormation is given.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnElement, Stack, Stage } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { isLoop, isRewritten, propertiesOf } from './template-text';

export interface Rendered {
  readonly stack: Stack;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** By a loop or a macro: its type and its properties are a pattern, and we cannot read the result here. */
  readonly isGenerated: boolean;
  readonly templateFile: string;
}

export function renderedIn(app: IConstruct): Rendered[] {
  return app.node.findAll().filter(Stack.isStack).flatMap(renderedInStack);
}

function renderedInStack(stack: Stack): Rendered[] {
  // Only an app is validated, and an app is a stage.
  const { outdir } = Stage.of(stack) as Stage;
  const templateFile = join(outdir, stack.templateFile);
  const { Resources = {} } = JSON.parse(readFileSync(templateFile, 'utf8')) as {
    Resources?: Readonly<Record<string, unknown>>;
  };
  return Object.entries(Resources).flatMap(([logicalId, resource]) =>
    written(logicalId, resource).map((found) => ({ ...found, stack, logicalId, templateFile })),
  );
}

/** What stands under a member of `Resources`: one resource, or as many kinds as a loop makes, or whatever a macro puts there. */
function written(member: string, given: unknown): Pick<Rendered, 'type' | 'properties' | 'isGenerated'>[] {
  const { Type: type = '*', Properties: properties } = propertiesOf(given);
  const pattern = String(type).replaceAll(/[$&]\{[^}]*\}/g, '*');
  const one = { type: pattern, properties: propertiesOf(properties) };
  if (!isRewritten(member)) return [{ ...one, isGenerated: false }];
  if (!isLoop(member)) return [{ ...one, isGenerated: true }];
  const body = Array.isArray(given) ? given[2] : undefined;
  return Object.entries(propertiesOf(body)).flatMap(([inner, resource]) =>
    written(inner, resource).map((found) => ({ ...found, isGenerated: true })),
  );
}

/** As exemptions name it: the construct that a reader of the app knows, not the resource that it keeps within. */
export function pathOf({ stack, logicalId }: Pick<Rendered, 'stack' | 'logicalId'>): string {
  const made = elementOf({ stack, logicalId });
  return made ? made.node.path.replace(/\/(Resource|Default)$/, '') : `${stack.node.path}/${logicalId}`;
}

export function elementOf({ stack, logicalId }: Pick<Rendered, 'stack' | 'logicalId'>): CfnElement | undefined {
  return stack.node
    .findAll()
    .filter(CfnElement.isCfnElement)
    .find((element) => element.stack === stack && logicalIdOf(element) === logicalId);
}

export function logicalIdOf(element: CfnElement): string {
  return element.stack.resolve(element.logicalId) as string;
}
