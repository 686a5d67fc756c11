// A hospital's sign-in, as far as a test needs one: whoever types a name is that person, whatever the password; and
// "name~2" is another person, to whom the name was given later.
//
// node provider.mjs HOST CLAIMS RETURN...   prints its issuer, and ends when its standard input does
//   HOST    name of this machine to be known by, such as 127.0.0.1 or localhost
//   CLAIMS  "token" puts the name into the token, "userinfo" makes the archive ask for it
//   RETURN  address that a browser may be sent back to

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [host, claims, ...returns] = process.argv.slice(2);

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

const client = (client_id, token_endpoint_auth_method, client_secret) => ({
  client_id,
  client_secret,
  token_endpoint_auth_method,
  redirect_uris: returns,
  grant_types: ["authorization_code"],
  response_types: ["code"],
});

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://${host}:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client("coverslip", "client_secret_basic", "a secret: with % and + in it"),
      client("coverslip-form", "client_secret_post", "another secret"),
      client("coverslip-public", "none"),
    ],
    claims: { openid: ["sub"], profile: ["preferred_username", "shifts"] },
    conformIdTokenClaims: claims === "userinfo",
    cookies: { keys: ["of-this-test-alone"] },
    jwks: { keys: [{ ...key, use: "sig", alg: "RS256" }] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: `staff/${id}`, preferred_username: id.split("~")[0], shifts: ["early", "late"] }),
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.resume().on("end", () => process.exit(0));
