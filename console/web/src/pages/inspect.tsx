import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FileUpload from '@cloudscape-design/components/file-upload';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useState } from 'react';
import type { Artefact } from '../../../../cli/inspect/artefact.ts';
import type { Field } from '../../../../cli/inspect/shape.ts';
import { number, short } from '../format.ts';
import type { Inspected } from '../inspect/worker.ts';
import { fileTexts } from '../parts/file-texts.ts';
import { Page } from '../parts/page.tsx';
import type { PageProps } from '../router.ts';

/** Says what a file is, field by field, in this browser. */
export function InspectPage(_: PageProps) {
  const [files, setFiles] = useState<readonly File[]>([]);
  const [file] = files;
  const inspected = useInspected(file);
  return (
    <Page
      title="Inspect"
      description="What an artefact is, field by field. It is looked at in this browser, and sent nowhere."
    >
      <Container>
        <FileUpload
          value={[...files]}
          onChange={({ detail }) => setFiles(detail.value)}
          showFileSize
          i18nStrings={fileTexts('Choose a file', 'Drop an artefact here', 'Remove the file')}
          constraintText="A Bound Profile Package, result, certificate, batch, request, report, list or key; binary, PEM, base64 or hexadecimal"
        />
      </Container>
      <div aria-live="polite">{inspected !== undefined && <Result inspected={inspected} />}</div>
    </Page>
  );
}

function useInspected(file: File | undefined): Inspected | undefined {
  const [inspected, setInspected] = useState<Inspected>();
  useEffect(() => {
    setInspected(undefined);
    if (file === undefined) return;
    const worker = new Worker(new URL('../inspect/worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<Inspected>) => setInspected(data);
    worker.onerror = () => setInspected({ refused: 'the file cannot be looked at in this browser' });
    void file.arrayBuffer().then((octets) => worker.postMessage(octets, [octets]));
    return () => worker.terminate();
  }, [file]);
  return inspected;
}

function Result({ inspected }: { readonly inspected: Inspected }) {
  if ('refused' in inspected)
    return (
      <Alert type="error">
        {inspected.refused}
        {inspected.offset !== undefined && ` (at offset ${inspected.offset})`}
      </Alert>
    );
  const { artefacts, encoding } = inspected.inspection;
  return (
    <SpaceBetween size="l">
      {artefacts.map((artefact, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the blocks of a file stay as they are
        <OneArtefact key={index} artefact={artefact} encoding={encoding} />
      ))}
    </SpaceBetween>
  );
}

const SEVERITY = { error: 'error', warning: 'warning', note: 'info' } as const;

function OneArtefact({ artefact, encoding }: { readonly artefact: Artefact; readonly encoding: string }) {
  const { title, length, fields, findings } = artefact;
  return (
    <Container
      header={
        <Header variant="h2" description={`${number(length)} octets, ${encoding}`}>
          {title}
        </Header>
      }
    >
      <SpaceBetween size="s">
        {findings.map(({ severity, message, offset }) => (
          <Alert type={SEVERITY[severity]} key={`${offset} ${message}`}>
            {message}
            {offset !== undefined && ` (at offset ${offset})`}
          </Alert>
        ))}
        <div className="field-tree">
          <Fields fields={fields} depth={0} />
        </div>
      </SpaceBetween>
    </Container>
  );
}

function Fields({ fields, depth }: { readonly fields: readonly Field[]; readonly depth: number }) {
  return (
    <ul>
      {fields.map((field) => (
        <li key={`${field.offset} ${field.name}`}>
          <OneField field={field} depth={depth} />
        </li>
      ))}
    </ul>
  );
}

function OneField({
  field: { name, tag, offset, length, value, fields },
  depth,
}: {
  readonly field: Field;
  readonly depth: number;
}) {
  const place = `${tag}, offset ${offset}, ${length} octets`;
  if (fields !== undefined)
    return (
      <ExpandableSection
        headerText={value === undefined ? name : `${name}: ${value}`}
        headerDescription={place}
        defaultExpanded={depth < 2}
      >
        <Fields fields={fields} depth={depth + 1} />
      </ExpandableSection>
    );
  return (
    <>
      <strong>{name}</strong> <span className="mono">{short(String(value ?? ''), 400)}</span>{' '}
      <small>({place})</small>
    </>
  );
}
