import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import type { ReactNode } from 'react';

/** An identifier with a button that copies it whole, however it is shown. */
export const Copy = ({
  text,
  what,
  children,
}: {
  readonly text: string | undefined;
  /** `EID`, for the button's name. */
  readonly what: string;
  readonly children?: ReactNode;
}) =>
  text === undefined ? (
    '–'
  ) : (
    <span className="copy">
      {children ?? <span className="mono">{text}</span>}{' '}
      <CopyToClipboard
        variant="icon"
        textToCopy={text}
        copyButtonAriaLabel={`Copy ${what}`}
        copySuccessText={`${what} copied`}
        copyErrorText={`${what} could not be copied`}
      />
    </span>
  );
