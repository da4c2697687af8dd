import { scaleOptions } from './scale/input.ts';
import { simulate } from './scale/model.ts';
import { HEADS, rowsOf } from './scale/table.ts';

/**
 * An order of ten million profiles, by the model of scale/model.ts and the quotas of an example Operator or of the
 * options: how long each phase takes, and which wall stands first. `--table` prints it as docs/scale.md has it. Nothing is called.
 */
const { input, form } = scaleOptions(process.argv.slice(2));
const results = simulate(input);
if (form === 'json') console.log(JSON.stringify({ input, results }));
else if (form === 'table')
  for (const row of [HEADS, HEADS.map(() => '---'), ...rowsOf(input, results)])
    console.log(`| ${row.join(' | ')} |`);
else {
  console.log(
    Object.entries(input)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
  for (const { phase, seconds, walls } of results) {
    console.log(
      `\n${phase}: ${(seconds / 3600).toFixed(2)} h, ${Math.round(input.profiles / seconds)} profiles a second`,
    );
    for (const { name, profilesPerSecond } of walls)
      console.log(`  ${name.padEnd(36)} ${String(Math.round(profilesPerSecond)).padStart(8)} a second`);
  }
}
