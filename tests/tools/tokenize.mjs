// Tokenizes, adding nothing, with the library transformers.js uses: node tokenize.mjs MODEL_DIR < ['text', ...]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';

const folder = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
const texts = JSON.parse(readFileSync(0, 'utf8'));
const results = texts.map((text) => {
  const { ids } = tokenizer.encode(text, { add_special_tokens: false });
  return { ids, text: ids.length ? tokenizer.decode(ids, { skip_special_tokens: false }) : '' };
});
process.stdout.write(JSON.stringify(results));
