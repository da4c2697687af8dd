import { Buffer } from 'buffer/';

// before any module of shared/ runs
Object.assign(globalThis, { Buffer });
