/** Behind it, in the arguments of a thread, stands the name of the module that it runs. */
export const THREAD = '--smdpf-thread';
