import { Argument, type Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';

/** Each asks `smdpf complete` with the words so far, the one at the cursor last, and falls back to names of files. */
const SCRIPTS = {
  bash: `_smdpf() {
  local IFS=$'\\n'
  COMPREPLY=($(smdpf complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _smdpf smdpf
`,
  zsh: `#compdef smdpf
_smdpf() {
  local -a found
  found=(\${(f)"$(smdpf complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _smdpf smdpf
`,
  fish: `complete --command smdpf --arguments '(smdpf complete -- (commandline --tokens-expanded --cut-at-cursor)[2..] (commandline --current-token) 2>/dev/null)'
`,
  powershell: `Register-ArgumentCompleter -Native -CommandName smdpf, smdpf.exe -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($word -eq '') { $words += '""' }
  smdpf complete -- @words | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`,
} as const;

const HELP = `
Where it goes:
  bash        smdpf completion bash > ~/.local/share/bash-completion/completions/smdpf
  zsh         smdpf completion zsh > "\${fpath[1]}/_smdpf"
  fish        smdpf completion fish > ~/.config/fish/completions/smdpf.fish
  PowerShell  smdpf completion powershell >> $PROFILE`;

/** `smdpf completion SHELL`: the script that lets a shell complete command lines. */
export function registerCompletion(program: Command, io: CliIo): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', HELP)
    .action((shell: keyof typeof SCRIPTS) => {
      const script = SCRIPTS[shell];
      io.answer({ shell, script }, script.trimEnd());
    });
}
