/** What a field that takes a file says of itself. */
export const fileTexts = (choose: string, drop: string, remove: string) => ({
  uploadButtonText: () => choose,
  dropzoneText: () => drop,
  removeFileAriaLabel: () => remove,
  limitShowFewer: 'Show fewer',
  limitShowMore: 'Show more',
  errorIconAriaLabel: 'Error',
});
