import { drawingFor, table } from '../../../bin/edge/terminal';

test.each([
  [{ columns: 132 }, { LANG: 'en_GB.UTF-8' }, { width: 132, unicode: true }],
  [{}, { LC_ALL: 'C.utf8' }, { width: 80, unicode: true }],
  [{}, { LC_ALL: 'C', LANG: 'en_GB.UTF-8' }, { width: 80, unicode: false }],
  [{}, { LC_ALL: '', LC_CTYPE: 'POSIX' }, { width: 80, unicode: false }],
  [{}, {}, { width: 80, unicode: false }],
])('a terminal %j with %j may be drawn on like %j', (stream, env, drawing) => {
  expect(drawingFor(stream, env)).toEqual(drawing);
});

test('columns of a table are as wide as their widest cell, and no line trails blanks', () => {
  expect(table(['a', 'long head'], [['wide cell', 'b'], ['c']])).toBe(
    'a          long head\n---------  ---------\nwide cell  b\nc',
  );
});
