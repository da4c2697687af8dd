import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { registerStationEstimate } from './station/estimate.ts';
import { registerStationLoad } from './station/load.ts';
import { registerStationMerge } from './station/merge.ts';
import { registerStationSplit } from './station/split.ts';

const HELP = `
A batch is cut for each station, or shared: a station takes the packages of the devices that lie in its readers, and reports no
others. Afterwards the reports are made one.

  smdpf station split --batch bpps.der --stations 2 --out shares
  smdpf station load --batch shares/station-01.der --cards cards --journal 1.jsonl --report 1.der
  smdpf station merge --batch bpps.der --report 1.der --report 2.der --out report.der`;

/** `smdpf station`: what runs on the line, with no network. */
export function registerStation(program: Command, io: CliIo): void {
  const station = program.command('station').addHelpText('after', HELP);
  for (const register of [
    registerStationSplit,
    registerStationLoad,
    registerStationMerge,
    registerStationEstimate,
  ])
    register(station, io);
}
