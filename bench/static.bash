#!/usr/bin/env bash
# Static files: the gateway against nginx with one worker, wrk -t2 -c64, interleaved; requests/s and CPU per request.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
stand
url=$(environment staging url)
platform=$(jq -r .pid "$LOCKFLIGHT_STATE_DIR/platform.json")
www=$scratch/www; mkdir -p "$www/assets"
head -c 768 /dev/urandom | base64 -w0 | head -c 1024 >"$www/assets/one.css"
head -c 76800 /dev/urandom | base64 -w0 | head -c 102400 >"$www/assets/hundred.css"
"$repo/build/bench/bench_upload" "$api/api/v1" "$netlify_token" "$(environment staging site_id)" "$www" >/dev/null

nginx_port=4680
while ss -ltn 2>/dev/null | grep -q ":$nginx_port " || (: <"/dev/tcp/127.0.0.1/$nginx_port") 2>/dev/null; do nginx_port=$((nginx_port + 1)); done
cat >"$scratch/nginx.conf" <<CONF
worker_processes 1; daemon off; master_process off; pid $scratch/nginx.pid; error_log $scratch/nginx.log;
events { worker_connections 512; }
http {
  types { text/css css; } default_type application/octet-stream; access_log off; sendfile on; tcp_nopush on; etag on;
  open_file_cache max=100 inactive=60s; keepalive_requests 100000000; keepalive_timeout 75s;
  client_body_temp_path $scratch/t1; proxy_temp_path $scratch/t2; fastcgi_temp_path $scratch/t3; uwsgi_temp_path $scratch/t4; scgi_temp_path $scratch/t5;
  server { listen 127.0.0.1:$nginx_port backlog=511; root $www; add_header cache-control "public, max-age=0, must-revalidate"; }
}
CONF
/usr/sbin/nginx -e "$scratch/nginx.log" -c "$scratch/nginx.conf" & nginx=$!
trap 'kill $nginx 2>/dev/null; platform_down' EXIT
for i in $(seq 50); do curl -fsS -o /dev/null "http://127.0.0.1:$nginx_port/assets/one.css" 2>/dev/null && break; sleep 0.1; done

ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; } # of one process; its children do not serve files
measure() { # measure FILE PID URL: requests/s, microseconds of the server's CPU per request
  local before after out
  before=$(ticks "$2")
  out=$(wrk -t2 -c64 -d"${BENCH_SECONDS:-4}s" "$3")
  after=$(ticks "$2")
  if grep -qE 'Non-2xx|Socket errors' <<<"$out"; then echo "bench: errors from $3" >&2; echo "$out" >&2; exit 1; fi
  awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '/requests in/ { n = $1 } /Requests\/sec/ { r = $2 }
    END { printf "%.0f %.2f\n", r, t / hz * 1e6 / n }' <<<"$out" >>"$1"
}
for size in one hundred; do
  curl -fsS "$url/assets/$size.css" | cmp - "$www/assets/$size.css"
  for ((r = 1; r <= runs; r++)); do
    measure "$scratch/them.$size" "$nginx" "http://127.0.0.1:$nginx_port/assets/$size.css"
    measure "$scratch/ours.$size" "$platform" "$url/assets/$size.css"
  done
done
header "static files, wrk -t2 -c64, nginx with one worker"
for size in one hundred; do
  name="1 KB"; [[ $size == hundred ]] && name="100 KB"
  o=$(wall "$scratch/ours.$size") t=$(wall "$scratch/them.$size")
  verdict "$name, requests per second" "$o" "$t" /s "$(ratio "$o" "$t")" 1.0
  o=$(cpu "$scratch/ours.$size") t=$(cpu "$scratch/them.$size")
  verdict "$name, CPU per request" "$o" "$t" us "$(ratio "$t" "$o")" 1.0
done
