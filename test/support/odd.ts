/** Values that no reader of ours should take for what it wants. */
export const ODD_VALUES: readonly unknown[] = [
  undefined,
  null,
  '',
  'x',
  '007',
  '-1',
  0,
  -1,
  1.5,
  Number.NaN,
  true,
  [],
  {},
  () => 1,
];

/** Odd values but for those that `allowed` lets through. */
export function oddBut(...allowed: readonly unknown[]): readonly unknown[] {
  return ODD_VALUES.filter((value) => !allowed.includes(value));
}
