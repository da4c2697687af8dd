import {
  type DeleteMarkerEntry,
  ListObjectVersionsCommand,
  type ObjectVersion,
  type S3Client,
} from '@aws-sdk/client-s3';
import { versionOf } from './answers.ts';

type Listed = Pick<ObjectVersion & DeleteMarkerEntry, 'Key' | 'VersionId'>;

export interface Version {
  readonly version: string;
  readonly isMarker: boolean;
}

/** All versions under a name, and the markers of its deletions. */
export async function versionsOf(
  client: S3Client,
  bucket: string,
  name: string,
): Promise<readonly Version[]> {
  const found: Version[] = [];
  let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({
      Bucket: bucket,
      Prefix: name,
      ...marker,
    });
    const page = await client.send(command);
    const own = (list: readonly Listed[] | undefined, isMarker: boolean) => {
      for (const { Key, VersionId } of list ?? []) {
        if (Key === name) found.push({ version: versionOf(VersionId), isMarker });
      }
    };
    own(page.Versions, false);
    own(page.DeleteMarkers, true);
    const { NextKeyMarker, NextVersionIdMarker } = page;
    // Names that only begin alike come after.
    const goesOn = page.IsTruncated === true && NextKeyMarker === name;
    marker = goesOn
      ? { KeyMarker: name, ...(NextVersionIdMarker && { VersionIdMarker: NextVersionIdMarker }) }
      : undefined;
  }
  return found;
}
