/**
 * How a construct tells a Lambda where things are: the names of its environment variables, in one place.
 * Constructs write them with `environmentFor`; `lib/aws/entry.ts` reads them. Nothing else reads the environment.
 */

const slug = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '_');

export const ENV = {
  config: 'CURFEW_CONFIG',
  functionName: 'CURFEW_FUNCTION',
  table: (name: string) => `CURFEW_TABLE_${slug(name)}`,
  bucket: (name: string) => `CURFEW_BUCKET_${slug(name)}`,
  function: (name: string) => `CURFEW_INVOKE_${slug(name)}`,
} as const;
