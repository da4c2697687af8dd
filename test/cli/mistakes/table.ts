/** A mistake that people make, what is said of it, and the way out. `@` is a folder of files; `@batch` a BPP batch. */
export interface Mistake {
  readonly line: string;
  /** What was said before the first release, where that was something else. */
  readonly before?: string;
  readonly code: 1 | 2;
  readonly says: string;
  readonly wayOut: string;
}

export const MISTAKES: readonly Mistake[] = [
  {
    line: 'fly',
    code: 2,
    says: "usage: unknown command 'fly'",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'sim fly',
    code: 2,
    says: "usage: unknown command 'fly'",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'inspect',
    code: 2,
    says: "usage: missing required argument 'file'",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'inspect @nowhere',
    code: 2,
    says: 'usage: FILE: @/nowhere cannot be read (no such file or folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'inspect @folder',
    code: 2,
    says: 'usage: FILE: @/folder cannot be read (it is a folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'inspect @empty',
    before:
      'protocolFormat (1.3.1/2.1): the file is empty / The rule behind it: the message is not well-formed.',
    code: 2,
    says: 'usage: FILE: @/empty is empty',
    wayOut: 'Name a file that holds an object.',
  },
  {
    line: 'inspect @nearly.hex',
    before:
      'protocolFormat (1.3.1/2.1): this is hexadecimal, but for "g" at line 1, column 62. Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else. / The rule behind it: the message is not well-formed.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/nearly.hex is hexadecimal, but for "g" at line 1, column 62',
    wayOut: 'Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else.',
  },
  {
    line: 'inspect @odd.hex',
    before:
      'protocolFormat (1.3.1/2.1): this is hexadecimal with an odd number of digits in a group. A digit is missing or too many. / The rule behind it: the message is not well-formed.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/odd.hex is hexadecimal with an odd number of digits in a group',
    wayOut: 'A digit is missing or too many.',
  },
  {
    line: 'inspect @value.asn',
    before:
      'protocolFormat (1.3.1/2.1): this is ASN.1 value notation. Give the encoded object that belongs to it: DER, beside the text in most packages. / The rule behind it: the message is not well-formed.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/value.asn is ASN.1 value notation',
    wayOut: 'Give the encoded object that belongs to it: DER, beside the text in most packages.',
  },
  {
    line: 'inspect @page.html',
    before:
      'protocolFormat (1.3.1/2.1): this is XML or HTML. This may be the error page of a server: fetch the object again. / The rule behind it: the message is not well-formed.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/page.html is XML or HTML',
    wayOut: 'This may be the error page of a server: fetch the object again.',
  },
  {
    line: 'inspect @cut.der',
    before:
      'profileInvalid (8.2/2.1): malformed Unprotected Profile Package: A0 claims 114 octets but 98 remain at offset 0 / The rule behind it: the profile package is malformed or inconsistent.',
    code: 1,
    says: 'profileInvalid (8.2/2.1): malformed Unprotected Profile Package: A0 claims 114 octets but 98 remain at offset 0',
    wayOut: 'Look at it with smdpf profile check FILE: it names each rule and its way out.',
  },
  {
    line: 'inspect @broken.json',
    before:
      'protocolFormat (1.3.1/2.1): this is text that begins as JSON does. Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else. / The rule behind it: the message is not well-formed.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/broken.json is text that begins as JSON does',
    wayOut: 'Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else.',
  },
  {
    line: 'profile check @nearly.hex',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/nearly.hex is hexadecimal, but for "g" at line 1, column 62',
    wayOut: 'Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else.',
  },
  {
    line: 'profile check @json.der',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/json.der is JSON with upp',
    wayOut: 'Take the member that holds the object out of the JSON: its base64 alone is read.',
  },
  {
    line: 'profile check @value.asn',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/value.asn is ASN.1 value notation',
    wayOut: 'Give the encoded object that belongs to it: DER, beside the text in most packages.',
  },
  {
    line: 'profile check @nowhere',
    code: 2,
    says: 'usage: FILE: @/nowhere cannot be read (no such file or folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'profile check @folder',
    code: 2,
    says: 'usage: FILE: @/folder cannot be read (it is a folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'profile show @page.html',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): FILE: @/page.html is XML or HTML',
    wayOut: 'This may be the error page of a server: fetch the object again.',
  },
  {
    line: 'profile template --out @folder',
    code: 2,
    says: 'usage: --out: @/folder cannot be written (it is a folder)',
    wayOut: 'Name another place, or remove what is there.',
  },
  {
    line: 'profile template --out @empty/x.der',
    code: 2,
    says: 'usage: --out: @/empty/x.der cannot be written (it exists)',
    wayOut: 'Name another place, or remove what is there.',
  },
  {
    line: 'serve --folder @empty --port 0 --field-port 0',
    before:
      'internal: the program failed in a way it does not know / Run it again with SMDPF_DEBUG=1 to see where, and report that.',
    code: 2,
    says: 'system: @/empty/keys: a part of the path is no folder',
    wayOut: 'Name another place, or remove what is there.',
  },
  {
    line: 'serve --folder @empty/none',
    before:
      'internal: the program failed in a way it does not know / Run it again with SMDPF_DEBUG=1 to see where, and report that.',
    code: 2,
    says: 'system: @/empty/none/keys: a part of the path is no folder',
    wayOut: 'Name another place, or remove what is there.',
  },
  {
    line: 'serve --folder @new2 --port 99999',
    code: 2,
    says: "usage: option '--port <port>': the value is not accepted. a port number is needed",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'keys list --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'keys list --folder @eum',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/eum',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'stop --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'demo --out @folder',
    code: 2,
    says: 'configuration: @/folder exists and was not made by a demo; name another folder with --out',
    wayOut: 'Correct the option, URI or file that is named, and try again.',
  },
  {
    line: 'demo --upp @page.html --out @demo1',
    before:
      'configuration: the demo cannot go on: HTTP 200, Failed 8.2/2.1 3C claims 104 octets but 20 remain at offset 0 / Correct the option, URI or file that is named, and try again.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --upp: @/page.html is XML or HTML',
    wayOut: 'This may be the error page of a server: fetch the object again.',
  },
  {
    line: 'demo --upp @nowhere --out @demo2',
    before:
      'internal: the program failed in a way it does not know / Run it again with SMDPF_DEBUG=1 to see where, and report that.',
    code: 2,
    says: 'usage: --upp: @/nowhere cannot be read (no such file or folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'demo --devices 0',
    code: 2,
    says: "usage: option '--devices <n>': the value is not accepted. a whole number from 1 on is needed",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'sim eum personalise --eum @pki --count 1 --out @p',
    code: 2,
    says: 'usage: --eum: @/pki cannot be opened, or is not what is expected there',
    wayOut: 'smdpf sim eum create makes an EUM folder.',
  },
  {
    line: 'sim eum personalise --eum @nowhere --count 1 --out @p',
    code: 2,
    says: 'usage: --eum: @/nowhere cannot be opened, or is not what is expected there',
    wayOut: 'smdpf sim eum create makes an EUM folder.',
  },
  {
    line: 'sim ci issue-dppb --ci @pki --csr @template.der --oid 2.999.10 --out @c.der',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --csr: @/template.der is an Unprotected Profile Package, not a Certification request (PKCS#10)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'sim operator order --order @broken.json --template @template.der --url https://127.0.0.1:1 --requester 2.999.60',
    code: 2,
    says: 'usage: --order: @/broken.json is not JSON',
    wayOut: 'Correct the file; a JSON validator shows where.',
  },
  {
    line: 'sim operator order --order @order.json --template @template.der --url https://127.0.0.1:1 --requester 2.999.60 --tls-ca @nowhere --tls-cert @nowhere --tls-key @nowhere',
    code: 2,
    says: 'usage: --tls-ca: @/nowhere cannot be read (no such file or folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'sim operator order --order @order.json --template @template.der --url https://127.0.0.1:1 --requester 2.999.60 --tls-ca @pki/CERT_CI.der --tls-cert @eum/CERT_EUM.der --tls-key @eum/SK_EUM.pem',
    code: 2,
    before:
      'usage: https://127.0.0.1:1 cannot be reached: error:0480006C:PEM routines::no start line / Check that the server runs, and that --tls-ca, --tls-cert and --tls-key are those it expects.',
    says: 'usage: --tls-ca: @/pki/CERT_CI.der is DER, and TLS takes PEM',
    wayOut: 'Write it again: openssl x509 -inform DER -in FILE -out FILE.pem',
  },
  {
    line: 'sim device-maker request --order O --cards @empty-folder --out @b.der --url https://127.0.0.1:1 --requester 2.999.50',
    code: 2,
    says: 'usage: there is no EID',
    wayOut: 'Name a folder or a file that has some.',
  },
  {
    line: 'sim device-maker request --order O --eids @eids.txt --out @b.der --url https://127.0.0.1:1 --requester 2.999.50',
    code: 2,
    says: 'usage: 1234 is not an EID',
    wayOut: 'An EID has 32 digits with right check digits.',
  },
  {
    line: 'sim factory load --batch @batch --cards @nowhere --journal @j.jsonl',
    before: 'nothing: every device was reported as unreachable',
    code: 2,
    says: 'usage: --cards: @/nowhere is no folder',
    wayOut: 'Name the folder that holds the cards: smdpf sim eum personalise makes one.',
  },
  {
    line: 'sim factory load --batch @batch --cards @empty-folder --journal @j.jsonl',
    before: 'nothing: every device was reported as unreachable',
    code: 2,
    says: 'usage: --cards: @/empty-folder has no card in it',
    wayOut: 'Name the folder that holds the cards: smdpf sim eum personalise makes one.',
  },
  {
    line: 'sim factory load --batch @template.der --cards @cards --journal @j.jsonl',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/template.der is an Unprotected Profile Package, not a BPP batch (FF62)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'station load --batch @batch --cards @nowhere --journal @j.jsonl',
    code: 2,
    says: 'configuration: @/nowhere is no folder of cards',
    wayOut: 'Name the folder that holds the cards: smdpf sim eum personalise makes one.',
  },
  {
    line: 'station load --batch @batch --cards @empty-folder --journal @j.jsonl',
    code: 2,
    says: 'configuration: the folder @/empty-folder has no card in it',
    wayOut: 'Name the folder that holds the cards: smdpf sim eum personalise makes one.',
  },
  {
    line: 'station load --batch @batch --cards @cards --journal @folder',
    code: 2,
    says: 'system: it is a folder',
    wayOut: 'Name a file.',
  },
  {
    line: 'station load --batch @order.json --cards @cards --journal @j2.jsonl',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/order.json is JSON with orderId, quantity',
    wayOut: 'Take the member that holds the object out of the JSON: its base64 alone is read.',
  },
  {
    line: 'station load --batch @folder --cards @cards --journal @j3.jsonl',
    code: 2,
    says: 'usage: @/folder is no folder of smdpf pull: it has no manifest.der',
    wayOut: 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.',
  },
  {
    line: 'station load --batch @batch --journal @j.jsonl',
    code: 2,
    says: 'usage: one of --cards and --readers is needed',
    wayOut: 'Say where the devices are.',
  },
  {
    line: 'station load --batch @batch --readers --journal @j.jsonl',
    code: 2,
    says: 'configuration: PC/SC readers need the package smartcard beside smdpf',
    wayOut: 'docs/station.md tells what PC/SC readers need.',
  },
  {
    line: 'station split --batch @batch --out @shares',
    code: 2,
    says: 'usage: one of --stations and --eids is needed',
    wayOut: 'Say how many stations there are, or who has which devices.',
  },
  {
    line: 'station split --batch @batch --eids @eids.txt --out @shares',
    code: 2,
    says: 'usage: --eids: @/eids.txt has a line that is no EID',
    wayOut: 'An EID has 32 digits with right check digits.',
  },
  {
    line: 'station merge --batch @batch --report @batch --out @r.der',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --report: @batch is a BPP batch (FF62), not a Profile Loading Report (FF63)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'statement verify @nowhere --keys @key.jwk',
    code: 2,
    says: 'usage: FILE: @/nowhere cannot be read (no such file or folder)',
    wayOut: 'Check the path and its permissions.',
  },
  {
    line: 'statement verify @order.json --keys @key.jwk',
    code: 2,
    says: 'usage: FILE: @/order.json has no signed statement',
    wayOut: 'Give the answer that brought it, or the JWS alone.',
  },
  {
    line: 'batch verify --folder @nowhere',
    code: 2,
    says: 'usage: @/nowhere is no folder of smdpf pull: it has no manifest.der',
    wayOut: 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.',
  },
  {
    line: 'batch verify --folder @empty-folder',
    code: 2,
    says: 'usage: @/empty-folder is no folder of smdpf pull: it has no manifest.der',
    wayOut: 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.',
  },
  {
    line: 'backup --folder @nowhere --out @b',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'restore plan --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'restore put --folder @n --from @empty-folder',
    code: 2,
    says: 'usage: --from: there is no backup in @/empty-folder',
    wayOut: 'smdpf backup makes one.',
  },
  {
    line: 'erase plan --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'verify --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'audit verify --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'verify-pir --pir @template.der --euicc-cert @eum/CERT_EUM.der',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --pir: @/template.der is an Unprotected Profile Package, not a Profile Installation Result (BF37)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'verify-pir --pir @nearly.hex --euicc-cert @eum/CERT_EUM.der',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --pir: @/nearly.hex is hexadecimal, but for "g" at line 1, column 62',
    wayOut: 'Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else.',
  },
  {
    line: 'bind --upp @template.der --metadata @broken.json --eid 1234 --otpk 04',
    code: 2,
    says: "usage: option '--otpk <hex>': the value is not accepted. It has to be 65 to 1249 octets in hexadecimal.",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'pull --request zz --out @pp',
    code: 2,
    says: "usage: option '--request <hex>': the value is not accepted. It has to be 1 to 16 octets in hexadecimal.",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'aws doctor --outputs @order.json',
    code: 2,
    says: 'usage: --outputs: @/order.json holds no outputs of stacks',
    wayOut: 'Name the file that `cdk deploy --outputs-file` wrote.',
  },
  {
    line: 'conform eum @nowhere',
    code: 2,
    says: "usage: required option '--batch <file>' not specified",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'inspect @template.der --colour',
    code: 2,
    says: "usage: unknown option '--colour'",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'profile check @empty',
    code: 2,
    says: 'usage: FILE: @/empty is empty',
    wayOut: 'Name a file that holds the object.',
  },
  {
    line: 'demo --suite p256 --curve frp256v1',
    code: 2,
    says: 'usage: --suite p256 signs on p256, not on frp256v1',
    wayOut: 'Leave --curve away.',
  },
  {
    line: 'sim ci create --out @pki',
    code: 2,
    says: 'usage: --out: @/pki/SK_CI.pem cannot be written (it exists)',
    wayOut: 'Name another place, or remove what is there.',
  },
  {
    line: 'keys',
    code: 2,
    says: 'usage: a command is missing',
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'serve --port x',
    code: 2,
    says: "usage: option '--port <port>': the value is not accepted. a port number is needed",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'serve --keys softkey:path=a --folder @new7',
    before: "usage: unknown option '--keys'",
    code: 2,
    says: 'usage: --keys: a PKCS#11 token as a whole is needed, without object or id',
    wayOut:
      'Give pkcs11:token=LABEL?module-path=LIBRARY&pin-source=file:PATH; single keys of other backends go into config.json (docs/keys.md).',
  },
  {
    line: 'station estimate --batch @order.json',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/order.json is JSON with orderId, quantity',
    wayOut: 'Take the member that holds the object out of the JSON: its base64 alone is read.',
  },
  {
    line: 'sim euicc show --card @order.json',
    code: 2,
    says: 'usage: --card: @/order.json cannot be opened, or is not what is expected there',
    wayOut: 'smdpf sim eum personalise makes card files.',
  },
  {
    line: 'sim euicc show --card @nowhere',
    code: 2,
    says: 'usage: --card: @/nowhere cannot be opened, or is not what is expected there',
    wayOut: 'smdpf sim eum personalise makes card files.',
  },
];
