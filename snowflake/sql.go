package snowflake

import (
	"database/sql/driver"
	"fmt"
)

// Value implements [driver.Valuer] with an int64.
func (id ID) Value() (driver.Value, error) { return int64(id), nil }

// Scan implements [database/sql.Scanner] for integers and decimal text. NULL is
// refused; scan into a sql.Null[ID] where it can occur.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case int64:
		if v < 0 {
			return fmt.Errorf("snowflake: %d is %w", v, ErrSyntax)
		}
		*id = ID(v)
		return nil
	case []byte:
		return id.UnmarshalText(v)
	case string:
		n, err := ParseID(v)
		if err == nil {
			*id = n
		}
		return err
	default:
		return fmt.Errorf("snowflake: a column of type %T is %w", src, ErrSyntax)
	}
}
