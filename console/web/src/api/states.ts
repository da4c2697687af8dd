/** The states of a profile as the server lists them, and from which it makes another one. */
export { PROFILE_STATES, type ProfileState, REPLACEABLE } from '../../../../shared/service/api/es2f.ts';
