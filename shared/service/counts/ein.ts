/** The first eight digits of an EID name its EUM: EIN (SGP.29). */
export const einOf = (eid: string) => eid.slice(0, 8);
