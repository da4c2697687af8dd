import type { Mistake } from './table.ts';

/** Mistakes of whoever administers a deployment, and of whoever runs a line. */
export const ON_THE_LINE: readonly Mistake[] = [
  {
    line: 'party add banana --role eum --issue --folder @op',
    before: 'taken as it is',
    code: 2,
    says: 'usage: banana is no object identifier, by which an Operator, EUM or device manufacturer is known',
    wayOut:
      'Numbers with dots between, none with a zero before it, such as 2.999.60; the company has its own.',
  },
  {
    line: 'party add 2.999.050 --role deviceMaker --issue --folder @op',
    before: 'taken as it is',
    code: 2,
    says: 'usage: 2.999.050 is no object identifier, by which an Operator, EUM or device manufacturer is known',
    wayOut:
      'Numbers with dots between, none with a zero before it, such as 2.999.60; the company has its own.',
  },
  {
    line: 'party add 2.999.50 --role deviceMaker --folder @op',
    code: 2,
    says: 'usage: exactly one of --certificate and --issue is needed',
    wayOut: 'Name one of them.',
  },
  {
    line: 'party add 2.999.50 --role deviceMaker --certificate @template.der --folder @op',
    code: 2,
    says: 'usage: --certificate: @/template.der is no X.509 certificate',
    wayOut: 'Name a certificate in PEM or DER.',
  },
  {
    line: 'party revoke zz --folder @op',
    code: 2,
    says: 'usage: a fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits',
    wayOut: 'smdpf party list shows the fingerprints of a party.',
  },
  {
    line: 'party suspend 2.999.77 --folder @op',
    before:
      'requestUnknown (1.6/3.9): no party has this identifier / Correct the identifier: it is that of a request which this party has made.',
    code: 1,
    says: 'requestUnknown (1.6/3.9): no party has this identifier',
    wayOut: 'smdpf party list shows who is registered.',
  },
  {
    line: 'trust add-ci @template.der --folder @op',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): <certificate>: @/template.der is an Unprotected Profile Package, not an X.509 certificate',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'trust add-ci @eum/CERT_EUM.der --folder @op',
    code: 1,
    says: 'ciUnknown (8.11.1/3.9): the certificate has not the role of a CI',
    wayOut:
      "Trust the CI itself: smdpf trust add-ci CERTIFICATE, which is the root's, with the role of a CI.",
  },
  {
    line: 'trust add-ci @pki/SK_CI.pem --folder @op',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): <certificate>: @/pki/SK_CI.pem is a Private key, in clear, not an X.509 certificate',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'trust add-crl @pki/CERT_CI.der --folder @op',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): <list>: @/pki/CERT_CI.der is an X.509 certificate, not a Certificate revocation list',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'trust remove-ci 00 --folder @op',
    before:
      "ciUnknown (8.11.1/3.9): this CI is not trusted / Trust the CI itself: smdpf trust add-ci CERTIFICATE, which is the root's, with the role of a CI.",
    code: 1,
    says: 'ciUnknown (8.11.1/3.9): this CI is not trusted',
    wayOut: 'smdpf trust list shows the CIs that are trusted, with their key identifiers.',
  },
  {
    line: 'keys generate --role binding --key banana --folder @op',
    code: 2,
    says: 'configuration: key URI: the scheme must be one of awskms, pkcs11, softkey, pem',
    wayOut: 'Correct the option, URI or file that is named, and try again.',
  },
  {
    line: 'station load --batch @cut-batch.der --cards @line --journal @c.jsonl',
    before:
      'counterpart: element at octet 0 is cut off / What the simulated counterpart was given, or was answered, is not acceptable to it.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/cut-batch.der is cut off: it has 105 of its 1029 octets',
    wayOut: 'Fetch or copy it again: smdpf pull goes on where it stopped.',
  },
  {
    line: 'station load --batch @long-batch.der --cards @line --journal @c.jsonl',
    before:
      'counterpart: octets behind FF62 / What the simulated counterpart was given, or was answered, is not acceptable to it.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/long-batch.der goes on behind the end of the object: it has 7 octets, and 6 are of the object',
    wayOut: 'Fetch or copy it again, or name one file for each object.',
  },
  {
    line: 'station load --batch @batch --cards @line --journal @journal.jsonl',
    before:
      "configuration: line 1 of @/journal.jsonl is not one of a station's journal / Correct the option, URI or file that is named, and try again.",
    code: 2,
    says: "configuration: line 1 of @/journal.jsonl is not one of a station's journal: name this station's own, or a file that is not there yet",
    wayOut: 'Correct the option, URI or file that is named, and try again.',
  },
  {
    line: 'station load --batch @1.der --cards @line --journal @c.jsonl',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/1.der is a Profile Loading Report (FF63), not a BPP batch (FF62)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'station load --batch @empty-folder --cards @line --journal @c.jsonl',
    code: 2,
    says: 'usage: @/empty-folder is no folder of smdpf pull: it has no manifest.der',
    wayOut: 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.',
  },
  {
    line: 'station split --batch @cut-batch.der --stations 2 --out @s',
    before:
      'counterpart: element at octet 0 is cut off / What the simulated counterpart was given, or was answered, is not acceptable to it.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/cut-batch.der is cut off: it has 105 of its 1029 octets',
    wayOut: 'Fetch or copy it again: smdpf pull goes on where it stopped.',
  },
  {
    line: 'station merge --batch @cut-batch.der --report @1.der --out @m.der',
    before:
      'counterpart: element at octet 0 is cut off / What the simulated counterpart was given, or was answered, is not acceptable to it.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/cut-batch.der is cut off: it has 105 of its 1029 octets',
    wayOut: 'Fetch or copy it again: smdpf pull goes on where it stopped.',
  },
  {
    line: 'station merge --batch @batch --report @cut-batch.der --out @m.der',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --report: @/cut-batch.der is a BPP batch (FF62), not a Profile Loading Report (FF63)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'station estimate --batch @cut-batch.der',
    before:
      'counterpart: element at octet 0 is cut off / What the simulated counterpart was given, or was answered, is not acceptable to it.',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --batch: @/cut-batch.der is cut off: it has 105 of its 1029 octets',
    wayOut: 'Fetch or copy it again: smdpf pull goes on where it stopped.',
  },
  {
    line: 'sim device-maker report --report @batch --url https://127.0.0.1:1 --requester 2.999.50',
    code: 1,
    says: 'protocolFormat (1.3.1/2.1): --report: @batch is a BPP batch (FF62), not a Profile Loading Report (FF63)',
    wayOut: 'smdpf inspect FILE says what it is, field by field.',
  },
  {
    line: 'sim operator status --order-id O --url 127.0.0.1:8443 --requester 2.999.60',
    code: 2,
    says: 'usage: --url is not an http or https URL',
    wayOut: 'Give it as https://HOST:PORT.',
  },
  {
    line: 'sim operator status --order-id O --url https://127.0.0.1:1 --requester 2.999.60 --tls-ca @pki/CERT_CI.der',
    before:
      'usage: https://127.0.0.1:1 cannot be reached: error:0480006C:PEM routines::no start line / Check that the server runs, and that --tls-ca, --tls-cert and --tls-key are those it expects.',
    code: 2,
    says: 'usage: --tls-ca: @/pki/CERT_CI.der is DER, and TLS takes PEM',
    wayOut: 'Write it again: openssl x509 -inform DER -in FILE -out FILE.pem',
  },
  {
    line: 'sim operator status --order-id O --url https://127.0.0.1:1 --requester 2.999.60 --tls-ca @eum/SK_EUM.pem',
    before:
      'usage: https://127.0.0.1:1 cannot be reached: error:0480006C:PEM routines::no start line / Check that the server runs, and that --tls-ca, --tls-cert and --tls-key are those it expects.',
    code: 2,
    says: 'usage: --tls-ca: @/eum/SK_EUM.pem has no certificate in PEM',
    wayOut: 'Name the file with the certificate of this party, or of the CA.',
  },
  {
    line: 'context add plant --url https://127.0.0.1:8443 --ca @template.der',
    before: 'kept, and in use',
    code: 2,
    says: 'usage: --ca: @/template.der has no certificate in PEM',
    wayOut: 'Name the file with the certificate of this party, or of the CA.',
  },
  {
    line: 'serve --folder @op --port 8443 --field-port 8443',
    before:
      'configuration: cannot listen on 127.0.0.1:8443 / Correct the option, URI or file that is named, and try again.',
    code: 2,
    says: 'usage: --port and --field-port are the same',
    wayOut: 'Name two ports: parties use mutual TLS, devices do not.',
  },
  {
    line: 'backup --folder @op --out @op/vault',
    code: 2,
    says: 'usage: --out lies inside a store of the deployment',
    wayOut: 'Name a folder elsewhere.',
  },
  {
    line: 'restore put --folder @op --from @folder',
    code: 2,
    says: 'usage: --from: there is no backup in @/folder',
    wayOut: 'smdpf backup makes one.',
  },
  {
    line: 'upgrade show --folder @nowhere',
    code: 2,
    says: 'usage: --folder: there is no deployment in @/nowhere',
    wayOut: 'smdpf serve makes one; name its folder with --folder.',
  },
  {
    line: 'upgrade fly',
    code: 2,
    says: "usage: unknown command 'fly'",
    wayOut: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
  },
  {
    line: 'stop --folder @op --release 1 --timeout 1',
    code: 2,
    says: 'usage: no server of @/op of release 1 answered within 1 s',
    wayOut: 'It may have ended already; smdpf serve --folder FOLDER starts it.',
  },
  {
    line: 'sim euicc load --card @nowhere --bpp @batch',
    code: 2,
    says: 'usage: --card: @/nowhere cannot be opened, or is not what is expected there',
    wayOut: 'smdpf sim eum personalise makes card files.',
  },
  {
    line: 'order NOPE --folder @op',
    code: 1,
    says: 'orderUnknown (8.8.5/3.9): no such order',
    wayOut:
      'Correct orderId; an order is seen by its Operator, and by the device manufacturers that it names.',
  },
  {
    line: 'find banana --folder @op',
    code: 2,
    says: 'usage: this is no EID, ICCID, transactionId or requestId',
    wayOut:
      'An EID has 32 digits, an ICCID 19 or 20, a transactionId 16 octets, a requestId up to 16 octets in hexadecimal.',
  },
  {
    line: 'batch verify --folder @op',
    code: 2,
    says: 'usage: @/op is no folder of smdpf pull: it has no manifest.der',
    wayOut: 'smdpf pull --request ID --out FOLDER fetches the answer into it, and goes on where it stopped.',
  },
];
