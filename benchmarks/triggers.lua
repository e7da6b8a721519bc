-- Triggers canaries drawn at random from the first `count`; with `rate`, each connection pauses so that all together come to it.
-- Arguments: count, pause in milliseconds (0: none), path instead (optional).
local count, pause, path, number = 1, 0, nil, 0

function setup(thread)
  number = number + 1
  thread:set("seed", number)
end

function init(arguments)
  count, pause, path = tonumber(arguments[1]), tonumber(arguments[2]), arguments[3]
  math.randomseed(seed * 7919)
  if pause > 0 then
    delay = function() return math.random(0, 2 * pause) end
  end
end

function request()
  if path then
    return wrk.format("GET", path)
  end
  local rest, letters = math.random(0, count - 1), ""
  for _ = 1, 8 do
    letters = string.char(97 + rest % 26) .. letters
    rest = math.floor(rest / 26)
  end
  return wrk.format("GET", "/" .. letters)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'JSON{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "max": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
