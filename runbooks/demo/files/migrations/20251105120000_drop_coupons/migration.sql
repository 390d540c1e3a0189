-- Version 1 of the app, which runs now, stopped reading coupons in March.

-- AlterTable
ALTER TABLE "orders" DROP COLUMN "coupon_code";

-- DropTable
DROP TABLE "coupons";
