import Box from '@cloudscape-design/components/box';
import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import { useState } from 'react';
import type { Answer } from '../api/client.ts';
import { fileTexts } from '../parts/file-texts.ts';
import { type OwnKey, openKey } from './own-key.ts';

interface OwnKeyFieldProps {
  readonly administrators: Answer<'ops.listApprovals'>['administrators'];
  readonly opened: OwnKey | undefined;
  readonly onOpen: (key: OwnKey | undefined) => void;
}

/** Asks for the file of a person's own key. It stays in this page, which forgets it when it is left. */
export function OwnKeyField({ administrators, opened, onOpen }: OwnKeyFieldProps) {
  const [files, setFiles] = useState<readonly File[]>([]);
  const [problem, setProblem] = useState<string>();
  const choose = async (chosen: readonly File[]) => {
    setFiles(chosen);
    setProblem(undefined);
    onOpen(undefined);
    const [file] = chosen;
    if (file === undefined) return;
    try {
      onOpen(await openKey(file, administrators));
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <FormField
      label="Your own key"
      description="The private key that you are registered with, as for SMDPF_IDENTITY. The browser signs with it; it is sent nowhere."
      {...(problem !== undefined && { errorText: problem })}
    >
      <FileUpload
        value={[...files]}
        onChange={({ detail }) => void choose(detail.value)}
        i18nStrings={fileTexts('Choose a key', 'Drop a key here', 'Remove the key')}
        constraintText="PEM (PKCS #8), on P-256"
        ariaRequired
      />
      <Box color="text-status-success">
        <span role="status">{opened !== undefined && `You act as ${opened.name}.`}</span>
      </Box>
    </FormField>
  );
}
