import type { Command } from 'commander';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';

/** Options of a command that works on the deployment of `--folder`. */
export interface Folder {
  readonly folder: string;
}

/** Makes a command of a group that works on the deployment of `--folder`. */
export type FolderCommand = (usage: string, description: string) => Command;

/** How all commands of `group` begin: what to type, what it does, and which deployment. */
export const folderCommands =
  (group: Command): FolderCommand =>
  (usage, description) =>
    group
      .command(usage)
      .description(description)
      .option(...FOLDER_OPTION);
