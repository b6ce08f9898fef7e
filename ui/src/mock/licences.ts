import type { Licences } from '../about/licences';

const MIT = [
  'Permission is hereby granted, free of charge, to any person obtaining a copy of this software',
  'and associated documentation files (the "Software"), to deal in the Software without restriction.',
].join('\n');

/** A list of the form of the real one. */
const licences: Licences = {
  components: [
    {
      name: '@tauri-apps/api',
      version: '2.12.5',
      licence: 'Apache-2.0 OR MIT',
      source: 'https://github.com/tauri-apps/tauri',
      texts: [0, 1],
    },
    {
      name: 'adler2',
      version: '2.0.1',
      licence: '0BSD OR MIT OR Apache-2.0',
      source: null,
      texts: [1],
    },
    {
      name: 'tokio',
      version: '1.54.0',
      licence: 'MIT',
      source: 'https://github.com/tokio-rs/tokio',
      texts: [1],
    },
  ],
  texts: ['Apache License\nVersion 2.0, January 2004', MIT],
};

export default licences;
