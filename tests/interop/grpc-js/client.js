// One unary call with @grpc/grpc-js over aTLS. Reads a job from stdin:
//
//   {"port", "by": "alpn"|"sni", "path", "request": base64, "cert", "key"}
//
// and prints what came of it: what the evidence of the server says and what it
// has to say for our nonce (and what for another), and the call's code,
// details and response. Shares nothing with the project's code.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const net = require('net');
const tls = require('tls');
const grpc = require('@grpc/grpc-js');

const SNP_EVIDENCE = Buffer.from('06052bcd2d0201', 'hex'); // 1.3.9901.2.1

// Content and end of the DER element at an offset.
function derElement(der, at) {
  let size = der[at + 1];
  let start = at + 2;
  if (size >= 128) {
    const digits = size - 128;
    size = der.readUIntBE(start, digits);
    start += digits;
  }
  return der.subarray(start, start + size);
}

// An extension is its OID, then (it is not critical) an OCTET STRING.
function evidenceOf(der) {
  const at = der.indexOf(SNP_EVIDENCE);
  if (at < 0) throw new Error('no evidence in the certificate');
  return derElement(der, at + SNP_EVIDENCE.length);
}

function varint(bytes, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

// The first length-delimited protobuf field of that number.
function protobufField(bytes, number) {
  for (let at = 0; at < bytes.length;) {
    let key, value;
    [key, at] = varint(bytes, at);
    [value, at] = varint(bytes, at);
    if ((key & 7n) !== 2n) continue;
    const content = bytes.subarray(at, at + Number(value));
    if (Number(key >> 3n) === number) return content;
    at += content.length;
  }
  throw new Error(`no field ${number}`);
}

function reportData(cert, nonce) {
  const spki = cert.publicKey.export({ type: 'spki', format: 'der' });
  return crypto.createHash('sha512').update(spki).update(nonce).digest('hex');
}

function connect(job, nonce) {
  const options = {
    host: '127.0.0.1',
    port: job.port,
    rejectUnauthorized: false, // the evidence decides
    ALPNProtocols: ['h2'],
  };
  if (job.by === 'alpn')
    options.ALPNProtocols.unshift(`atls:v1:nonce:${nonce.toString('hex')}`);
  else
    options.servername = nonce.toString('base64');
  if (job.cert) {
    options.cert = fs.readFileSync(job.cert);
    options.key = fs.readFileSync(job.key);
  }
  return new Promise((resolve, reject) => {
    const socket = tls.connect(options, () => resolve(socket));
    socket.once('error', reject);
  });
}

// A plain port whose client ends up in the connection: grpc-js has no way to
// offer protocols of its own in ALPN.
function relay(socket) {
  return new Promise((resolve) => {
    const server = net.createServer((client) => {
      client.on('error', () => socket.destroy());
      socket.on('error', () => client.destroy());
      client.pipe(socket).pipe(client);
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function call(target, job) {
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  const asIs = (bytes) => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
        job.path, asIs, asIs, Buffer.from(job.request, 'base64'),
        { deadline: Date.now() + 20000 }, (error, response) => {
          client.close();
          resolve(error ? { code: error.code, details: error.details } :
              { code: 0, details: '', response: response.toString('base64') });
        });
  });
}

async function main() {
  const job = JSON.parse(fs.readFileSync(0, 'utf8'));
  const nonce = crypto.randomBytes(32);
  const socket = await connect(job, nonce);
  const cert = new crypto.X509Certificate(socket.getPeerCertificate().raw);
  const evidence = evidenceOf(cert.raw);
  const said = {
    evidence: evidence.toString('base64'),
    reportData: protobufField(protobufField(evidence, 1), 11).toString('hex'),
    expected: reportData(cert, nonce),
    unexpected: reportData(cert, crypto.randomBytes(32)),
  };
  const server = await relay(socket);
  Object.assign(said, await call(`127.0.0.1:${server.address().port}`, job));
  server.close();
  socket.destroy();
  process.stdout.write(JSON.stringify(said));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
