export * from './der/index.ts';
export * from './party.ts';
export * from './roles.ts';
