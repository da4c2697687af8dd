import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import {
  BRANCH,
  inclusionProof,
  leafHash,
  rootByProof,
  treeRoot,
} from '../../shared/ifpp-draft1/hash-tree.ts';

/** The eight leaves and the roots over the first of them that Certificate Transparency's reference code is tested with. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = LEAVES.map((hex) => leafHash(fromHex(hex)));

describe('a hash tree (RFC 9162 section 2.1)', () => {
  it.each(ROOTS.map((root, i) => [i + 1, root] as const))(
    'over %i leaves has the known root',
    (size, root) => {
      const some = leaves.slice(0, size);
      expect(toHex(treeRoot(some))).toBe(root);
      for (const [index, leaf] of some.entries())
        expect(toHex(rootByProof(leaf, index, size, inclusionProof(some, index))!)).toBe(root);
    },
  );

  it('proves no leaf at another place, under another size, or by another proof', () => {
    for (let size = 2; size <= 8; size++) {
      const some = leaves.slice(0, size);
      const root = toHex(treeRoot(some));
      for (const [index, leaf] of some.entries()) {
        const proof = inclusionProof(some, index);
        const by = (...of: Parameters<typeof rootByProof>) => {
          const found = rootByProof(...of);
          return found === undefined ? undefined : toHex(found);
        };
        for (let other = -1; other <= size; other++)
          if (other !== index) expect(by(leaf, other, size, proof)).not.toBe(root);
        expect(by(leaf, index, size, proof.slice(1))).not.toBe(root);
        expect(by(leaf, index, size, [...proof, leaf])).toBeUndefined();
        expect(by(leaf, index, size, [leaf, ...proof.slice(1)])).not.toBe(root);
      }
    }
  });

  it('is the same tree by the roots of its full branches', () => {
    const many = Array.from({ length: 2 * BRANCH + 5 }, (_, i) =>
      leafHash(fromHex(i.toString(16).padStart(4, '0'))),
    );
    const branches = [0, 1, 2].map((n) => many.slice(n * BRANCH, (n + 1) * BRANCH));
    const roots = branches.map(treeRoot);
    expect(toHex(treeRoot(roots))).toBe(toHex(treeRoot(many)));
    for (const index of [0, BRANCH - 1, BRANCH, 2 * BRANCH, many.length - 1]) {
      const branch = Math.floor(index / BRANCH);
      const proof = [...inclusionProof(branches[branch]!, index % BRANCH), ...inclusionProof(roots, branch)];
      expect(proof.map(toHex)).toEqual(inclusionProof(many, index).map(toHex));
    }
  });
});
