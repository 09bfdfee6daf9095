/** What each file exports, and who takes it: by name, by way of a namespace, or by loading it at run time. */
import { codeWithTexts, findFile } from './sources';

export interface Taken {
  readonly file: string;
  readonly name: string;
}
export interface Exported extends Taken {
  /** Gone at run time. */
  readonly isType: boolean;
}

const DECLARED =
  /^export (?:declare )?(?:abstract )?(?:async )?(function\*?|const|let|class|interface|type|enum) (\w+)/gm;
const LISTED = /^export (type )?\{([^}]*)\}/gm;
/** What stands between `import` or `export` and `from`. */
const TAKEN = /^(?:import|export)\s+(?:type\s+)?([^'";]*?)\s*\bfrom\s+'([^']+)'/gm;
const LOADED = /(?:const|let)\s+\{([^}]*)\}\s*=\s*(?:await import|require)\(\s*'([^']+)'\s*\)/g;
/** All that a test loads without saying what it takes: it spreads it. */
const SPREAD = /\.\.\.\(await import\('([^']+)'\)\)/g;

export function exportsIn(file: string, code = codeWithTexts(file)): Exported[] {
  const declared = [...code.matchAll(DECLARED)].map(([, kind = '', name = '']) => ({
    name,
    isType: kind === 'interface' || kind === 'type',
  }));
  const listed = [...code.matchAll(LISTED)].flatMap(([, type, list = '']) =>
    namesIn(list).map(({ as, isType }) => ({ name: as, isType: isType || type !== undefined })),
  );
  return [...declared, ...listed].map((one) => ({ file, ...one }));
}

/** Each name of another file of ours that this one takes; `*` is all of them. */
export function takenBy(file: string, code = codeWithTexts(file)): Taken[] {
  const taken = (specifier: string, names: readonly string[]) => {
    const target = specifier.startsWith('.') ? findFile(file, specifier) : undefined;
    return target === undefined ? [] : names.map((name) => ({ file: target, name }));
  };
  return [
    ...[...code.matchAll(TAKEN)].flatMap(([, what = '', from = '']) => taken(from, namesTaken(what, code))),
    ...[...code.matchAll(LOADED)].flatMap(([, list = '', from = '']) =>
      taken(
        from,
        namesIn(list).map(({ name }) => name),
      ),
    ),
    ...[...code.matchAll(SPREAD)].flatMap(([, from = '']) => taken(from, ['*'])),
  ];
}

function namesTaken(what: string, code: string): string[] {
  const [, namespace] = /^\*\s+as\s+(\w+)$/.exec(what) ?? [];
  if (namespace === undefined)
    return what === '*' ? ['*'] : namesIn(what.replace(/^[^{]*\{|\}[^}]*$/g, '')).map(({ name }) => name);
  return [...code.matchAll(new RegExp(`\\b${namespace}\\.(\\w+)`, 'g'))].map(([, name = '']) => name);
}

/** `a, type B as C`: what each is called there, and here. */
function namesIn(list: string): { readonly name: string; readonly as: string; readonly isType: boolean }[] {
  return list
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
    .map((one) => {
      const [name = '', as = name] = one.replace(/^type\s+/, '').split(/\s+as\s+|\s*:\s*/);
      return { name, as, isType: /^type\s/.test(one) };
    });
}
