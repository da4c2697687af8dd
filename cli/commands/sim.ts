import type { Command } from 'commander';
import type { CliIo } from '../output/cli-io.ts';
import { registerSimCi } from './sim/ci.ts';
import { registerSimDeviceMaker } from './sim/device-maker.ts';
import { registerSimEuicc } from './sim/euicc.ts';
import { registerSimEum } from './sim/eum.ts';
import { registerSimFactory } from './sim/factory.ts';
import { registerSimOperator } from './sim/operator.ts';

const WALKTHROUGH = `
All of it is test material: cards and CA folders hold private keys in clear.

A profile from nothing into a soft eUICC, without any server:
  smdpf sim ci create --out pki
  smdpf sim eum create --ci pki --out eum
  smdpf sim eum personalise --eum eum --count 1 --keys 2 --out production
  smdpf sim ci issue-dppb --ci pki --generate pki/SK_DPpb.pem --out pki/CERT_DPpb.der
  smdpf sim euicc show --card production/cards/<EID>.json
  smdpf bind --upp profile.der --metadata metadata.json --eid <EID> --otpk <otPk> \\
    --dppb-cert pki/CERT_DPpb.der --dppb-key pki/SK_DPpb.pem --out profile.bpp
  smdpf sim euicc load --card production/cards/<EID>.json --bpp profile.bpp \\
    --dppb-cert pki/CERT_DPpb.der --key-id <keyId> --pir result.der

Against a server, with the --url and TLS options that each command lists:
  smdpf sim operator listen, sim operator order, sim eum register, sim device-maker request,
  sim factory load, sim device-maker report, sim euicc notifications`;

export function registerSim(program: Command, io: CliIo): void {
  const sim = program.command('sim').addHelpText('after', WALKTHROUGH);
  for (const register of [
    registerSimCi,
    registerSimEum,
    registerSimEuicc,
    registerSimFactory,
    registerSimDeviceMaker,
    registerSimOperator,
  ])
    register(sim, io);
}
