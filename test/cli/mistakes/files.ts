import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeploymentFolder } from '../../../cli/deployment/folder.ts';
import { fromHex } from '../../../shared/codec/bytes.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { Line } from '../../station/line.ts';
import { runCli } from '../support/cli.ts';

/** What people have lying about when they make a mistake. */
export class Files {
  readonly folder = mkdtempSync(join(tmpdir(), 'mistakes-'));
  readonly line = new Line(1, 1);
  #server: Server | undefined;
  port = 0;

  at(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.at(name), content);
  }

  async make(): Promise<void> {
    const write = (name: string, content: string | Uint8Array) => this.write(name, content);
    const template = ownTemplate();
    write('template.der', template);
    write('empty', '');
    write('order.json', '{"orderId":"O-1","quantity":5}');
    write('broken.json', '{"orderId":');
    write('twice.json', '{"orderId":"a","orderId":"b"}');
    write('nearly.hex', `${Buffer.from(template).toString('hex').slice(0, 61)}g0`);
    write('odd.hex', 'bf37123');
    write('value.asn', 'value ProfileElement ::= header : { major-version 2 }');
    write('json.der', '{"upp":"AAAA"}');
    write('page.html', '<html>not found</html>');
    write('cut.der', template.subarray(0, 100));
    write('eids.txt', '1234\n');
    mkdirSync(this.at('folder'));
    mkdirSync(this.at('empty-folder'));
    mkdirSync(this.at('cards'));
    write('cards/card.json', '{"no":"card"}');
    const quiet = async (...args: readonly string[]) => {
      const { code, stderr } = await runCli(...args, '--json');
      if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    };
    await quiet('sim', 'ci', 'create', '--out', this.at('pki'));
    await quiet('sim', 'eum', 'create', '--ci', this.at('pki'), '--out', this.at('eum'));
    await quiet('sim', 'operator', 'key', '--out', this.at('key.jwk'));
    const { batchFile } = this.line;
    write('cut-batch.der', Buffer.concat([fromHex('ff62820400'), Buffer.alloc(100)]));
    write('long-batch.der', fromHex('ff620302010000'));
    write('journal.jsonl', '{"not":"journal"}\n');
    const station = ['--journal', this.at('1.jsonl'), '--report', this.at('1.der')];
    await quiet('station', 'load', '--batch', batchFile, '--cards', this.line.cards(0), ...station);
    const deployment = await DeploymentFolder.open(this.at('op'));
    await (await deployment.openRuntime({ lanes: 'none' })).close();
    this.#server = createServer();
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
    this.port = (this.#server.address() as { port: number }).port;
  }

  async remove(): Promise<void> {
    await new Promise((resolve) => this.#server?.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
    this.line.remove();
  }
}
