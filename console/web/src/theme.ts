import { applyMode, Mode } from '@cloudscape-design/global-styles';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'smdpf-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((one) => one === kept) ?? 'system';
}

export function setTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  apply();
}

/** Dark and light as the system has it, unless somebody has chosen. */
export function followTheme(): void {
  dark.addEventListener('change', apply);
  apply();
}

function apply(): void {
  const chosen = theme();
  applyMode(chosen === 'dark' || (chosen === 'system' && dark.matches) ? Mode.Dark : Mode.Light);
}
