/** Whether somebody is at this page: what is shown anew by itself would otherwise keep a session of nobody alive. */

/** Milliseconds without a key, a click or a touch after which pages ask for nothing by themselves any more. */
export const UNATTENDED_MS = 20 * 60_000;

let lastMs = Date.now();
const note = () => {
  lastMs = Date.now();
};
for (const event of ['keydown', 'pointerdown', 'wheel'] as const)
  addEventListener(event, note, { passive: true, capture: true });

/** Milliseconds since somebody did something here. */
export const unattendedMs = (): number => Date.now() - lastMs;
export const isAttended = (): boolean => unattendedMs() < UNATTENDED_MS;
