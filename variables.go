package cohort

// Variable is one environment variable that [FromEnv] reads.
type Variable struct {
	Name string
	// Unset says what holds where the variable is not set or blank.
	Unset string
	// Meaning says which values there are.
	Meaning string
}

// The variables' names. They and their meaning are those of NocoBase's cluster
// mode, with PUBSUB_ADAPTER added.
const (
	envClusterMode      = "CLUSTER_MODE"
	envClusterNamespace = "CLUSTER_NAMESPACE"
	envRedisURL         = "REDIS_URL"
	envWorkerIDMin      = "WORKER_ID_MIN"
	envWorkerIDMax      = "WORKER_ID_MAX"
	envWorkerMode       = "WORKER_MODE"
	envCacheStore       = "CACHE_DEFAULT_STORE"
	envCacheMax         = "CACHE_MEMORY_MAX"
	envCacheRedisURL    = "CACHE_REDIS_URL"
	envPubSubAdapter    = "PUBSUB_ADAPTER"
	envPubSubRedisURL   = "PUBSUB_ADAPTER_REDIS_URL"
	envLockAdapter      = "LOCK_ADAPTER_DEFAULT"
	envLockRedisURL     = "LOCK_ADAPTER_REDIS_URL"
	envQueueAdapter     = "QUEUE_ADAPTER"
	envQueueRedisURL    = "QUEUE_ADAPTER_REDIS_URL"
	envQueueRabbitURL   = "QUEUE_ADAPTER_RABBITMQ_URL"
	envRabbitURL        = "RABBITMQ_URL"
)

// What the URLs are where nothing is set.
const (
	localRedis  = "redis://localhost:6379/0"
	localRabbit = "amqp://guest:guest@localhost:5672/"
)

// Variables returns every variable that [FromEnv] reads, in the order of the
// README's table, which is made from it.
func Variables() []Variable {
	return []Variable{
		{envClusterMode, "one process", "`max` or N ≥ 1: this process is one of several; each area must then be shared"},
		{envClusterNamespace, "`cohort`", "prefix of all keys, streams and queues; letters, digits, `.`, `_`, `-`"},
		{envRedisURL, "worker number in memory", "worker numbers, and the fallback of the areas' own Redis URLs"},
		{envWorkerIDMin, "0", "lowest worker number"},
		{envWorkerIDMax, "31", "highest worker number, at most 65535"},
		{envWorkerMode, "everything", "`!` requests, `*` all tasks, `a,b` these tasks, `!,a` both, `-` nothing"},
		{envCacheStore, "`memory`", "`memory`, `redis`"},
		{envCacheMax, "2000", "entries that a node keeps in memory"},
		{envCacheRedisURL, "`" + envRedisURL + "`", "needed, one of the two, where the store is `redis`"},
		{envPubSubAdapter, "`redis` if a Redis URL or " + envClusterMode + " is set, else `memory`", "`memory`, `redis`"},
		{envPubSubRedisURL, "`" + envRedisURL + "`, else `" + localRedis + "`", "any Redis URL"},
		{envLockAdapter, "`local`", "`local` (in this process), `redis`"},
		{envLockRedisURL, "`" + envRedisURL + "`, else `" + localRedis + "`", "any Redis URL"},
		{envQueueAdapter, "`memory`", "`memory`, `redis`, `rabbitmq`"},
		{envQueueRedisURL, "`" + envRedisURL + "`, else `" + localRedis + "`", "any Redis URL"},
		{envQueueRabbitURL, "`" + envRabbitURL + "`, else `" + localRabbit + "`", "an `amqp` or `amqps` URL"},
		{envRabbitURL, "–", "fallback of " + envQueueRabbitURL},
	}
}
