/** The Lambdas of one construct, made one after another: a later one may invoke an earlier one, never the other way. */
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { FunctionName } from '../../domain/deployment/rights';
import { pascal } from '../parts/names';
import { CurfewFunction, type CurfewFunctionProps } from './curfew-function';

export type Functions = { readonly [F in FunctionName]?: IFunction };
type FunctionOptions = Pick<CurfewFunctionProps, 'memoryMiB' | 'concurrency' | 'knows' | 'roleOf'>;

export class FunctionSet {
  /** Those made here. */
  readonly own: { [F in FunctionName]?: IFunction } = {};

  constructor(
    private readonly scope: Construct,
    private readonly shared: Pick<CurfewFunctionProps, 'lambdas' | 'stage' | 'config' | 'targets'>,
  ) {}

  add(name: FunctionName, options: FunctionOptions = {}): CurfewFunction {
    const targets = { ...this.shared.targets, functions: this.known };
    const made = new CurfewFunction(this.scope, pascal(name), { ...this.shared, ...options, name, targets });
    this.own[name] = made.function;
    return made;
  }

  /** The same set, with something that was made after its first functions. */
  with(targets: Pick<CurfewFunctionProps['targets'], 'stateMachineArn'>): FunctionSet {
    const { shared } = this;
    return new FunctionSet(this.scope, {
      ...shared,
      targets: { ...shared.targets, ...targets, functions: this.known },
    });
  }

  /** Those made here and those of the stacks before. */
  get known(): Functions {
    return { ...this.shared.targets.functions, ...this.own };
  }
}
