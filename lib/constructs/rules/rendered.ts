/**
 * What would really be deployed: every resource as its template has it, with overrides, raw resources, included
 * templates and nested stacks. The properties of constructs are what somebody meant; the template is what CloudFormation is given.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfnElement, Stack, Stage } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

export interface Rendered {
  readonly stack: Stack;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly template: Template;
}

export interface Template {
  readonly file: string;
  readonly resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
}

export function renderedIn(app: IConstruct): Rendered[] {
  return app.node.findAll().filter(Stack.isStack).flatMap(renderedInStack);
}

function renderedInStack(stack: Stack): Rendered[] {
  // Only an app is validated, and an app is a stage.
  const { outdir } = Stage.of(stack) as Stage;
  const file = join(outdir, stack.templateFile);
  const { Resources = {} } = JSON.parse(readFileSync(file, 'utf8')) as { Resources?: Template['resources'] };
  const template = { file, resources: Resources };
  return Object.entries(Resources).map(([logicalId, { Type, Properties = {} }]) => ({
    stack,
    logicalId,
    type: Type,
    properties: Properties,
    template,
  }));
}

/** As exemptions name it: the construct that a reader of the app knows, not the resource that it keeps within. */
export function pathOf({ stack, logicalId }: Pick<Rendered, 'stack' | 'logicalId'>): string {
  const made = stack.node
    .findAll()
    .filter(CfnElement.isCfnElement)
    .find((element) => element.stack === stack && logicalIdOf(element) === logicalId);
  return made ? made.node.path.replace(/\/(Resource|Default)$/, '') : `${stack.node.path}/${logicalId}`;
}

export function logicalIdOf(element: CfnElement): string {
  return element.stack.resolve(element.logicalId) as string;
}
