package cacheredis

import "strconv"

// slots is the number of hash slots of a Redis Cluster.
const slots = 1 << 14

// bucketNames returns n hash tags. The first is the same for every n; the others
// follow in equal distances around the slots, so that masters with equal shares
// get equally many.
func bucketNames(n int) []string {
	names := []string{"0"}
	first := slot(names[0]) * n / slots
	for i := 1; i < n; i++ {
		part := (first + i) % n
		for try := 0; ; try++ {
			name := strconv.Itoa(i) + "." + strconv.Itoa(try)
			if slot(name)*n/slots == part {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// slot is the hash slot of a tag: CRC16 (XMODEM) modulo the number of slots.
func slot(tag string) int {
	var crc uint16
	for i := range len(tag) {
		crc ^= uint16(tag[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return int(crc) % slots
}
